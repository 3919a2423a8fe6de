/* remote.c - the asking end of a decoding helper; see dicom_remote.h. */
#include "dicom_remote.h"

#include "dicom/limits.h"
#include "packet.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct _DicomRemote {
  int socket, cancel_fd;
  DicomRemoteState state;
  guint32 next_id, oldest_id; /* answers owed: from OLDEST_ID to before NEXT_ID */
  gboolean greeted;
  DicomSandbox sandbox;
};

typedef struct {
  DicomAnswer head;
  GBytes *body, *pixels;
} Answer;

static void
answer_clear(Answer *answer)
{
  g_clear_pointer(&answer->body, g_bytes_unref);
  g_clear_pointer(&answer->pixels, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

int
dicom_remote_open(const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  struct stat st;
  /* A FIFO must not hang the program, hence O_NONBLOCK; for regular files it changes nothing. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    int saved = errno;

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, _("%s: cannot be opened: %s"), name,
                g_strerror(saved));
    return -1;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, _("%s: is not a regular file"), name);
    close(fd);
    return -1;
  }
  return fd;
}

DicomRemote *
dicom_remote_new(int socket)
{
  DicomRemote *remote = g_new0(DicomRemote, 1);

  remote->socket = socket;
  remote->cancel_fd = -1;
  return remote;
}

void
dicom_remote_free(DicomRemote *remote)
{
  if (remote) {
    close(remote->socket);
    g_free(remote);
  }
}

DicomRemoteState
dicom_remote_state(const DicomRemote *remote)
{
  return remote->state;
}

guint
dicom_remote_owed(const DicomRemote *remote)
{
  return remote->next_id - remote->oldest_id;
}

void
dicom_remote_cancel_by(DicomRemote *remote, int fd)
{
  remote->cancel_fd = fd;
}

/* ---- one packet --------------------------------------------------------------------------- */

static gboolean
fail(DicomRemote *remote, DicomRemoteState state, GError **error, const char *what)
{
  if (state != DICOM_REMOTE_CANCELLED) {
    remote->state = state;
  }
  g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_HELPER, what);
  return FALSE;
}

static gboolean
fail_nonsense(DicomRemote *remote, GError **error, const char *what)
{
  g_autofree char *text = g_strdup_printf("the decoding process answered nonsense: %s", what);

  return fail(remote, DICOM_REMOTE_MAD, error, text);
}

/* Until the socket is ready for EVENTS, UNTIL (monotonic) has come, or the call is cancelled. */
static gboolean
wait_for(DicomRemote *remote, short events, gint64 until, GError **error)
{
  for (;;) {
    struct pollfd fds[2] = {{remote->socket, events, 0}, {remote->cancel_fd, POLLIN, 0}};
    gint64 left = (until - g_get_monotonic_time() + 999) / 1000;
    int n = poll(fds, remote->cancel_fd >= 0 ? 2 : 1, (int)CLAMP(left, 0, G_MAXINT));

    if (n > 0 && fds[0].revents) {
      return TRUE;
    }
    if (n > 0) {
      return fail(remote, DICOM_REMOTE_CANCELLED, error, "reading was cancelled");
    }
    if (n == 0 && left <= 0) {
      return fail(remote, DICOM_REMOTE_LATE, error,
                  "the decoding process took too long and was ended");
    }
  }
}

static gboolean
send_request(DicomRemote *remote, DicomRequest *request, const char *name, const char *presentation,
             const int *fds, guint n_fds, gint64 until, GError **error)
{
  g_autofree char *names = g_strconcat(name, presentation, NULL);
  gsize n_name = strlen(name), n_presentation = strlen(names) - n_name;
  const struct iovec parts[] = {{request, sizeof *request}, {names, n_name + n_presentation}};
  DicomPacketResult result;

  if (n_name > DICOM_PACKET_MAX_NAME || n_presentation > DICOM_PACKET_MAX_NAME) {
    g_autofree char *shown = g_filename_display_name(name);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: the name is longer than %d bytes", shown,
                DICOM_PACKET_MAX_NAME);
    return FALSE;
  }
  request->magic = DICOM_PACKET_MAGIC;
  request->version = DICOM_PACKET_VERSION;
  request->id = remote->next_id;
  request->name_bytes = (guint32)n_name;
  request->presentation_bytes = (guint32)n_presentation;
  for (;;) {
    result = dicom_packet_send(remote->socket, parts, 2, fds, n_fds, TRUE);
    if (result != DICOM_PACKET_NONE) {
      break;
    }
    if (!wait_for(remote, POLLOUT, until, error)) {
      return FALSE;
    }
  }
  if (result != DICOM_PACKET_OK) {
    return fail(remote, DICOM_REMOTE_GONE, error, "the decoding process ended");
  }
  remote->next_id++;
  return TRUE;
}

static void
unmap(gpointer data)
{
  GBytes *range = data;
  gsize n;
  gconstpointer start = g_bytes_get_data(range, &n);

  munmap((gpointer)start, n);
  g_bytes_unref(range);
}

/* The N bytes of a memory file. It must be sealed: whoever made it might otherwise cut it while it
 * is read, which is a signal, or change what has been checked. */
static GBytes *
map_sealed(int fd, guint64 n)
{
  const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  struct stat st;
  gpointer start;
  GBytes *range;

  if ((fcntl(fd, F_GET_SEALS) & seals) != seals || fcntl(fd, F_GET_SEALS) < 0 ||
      fstat(fd, &st) != 0 || st.st_size < 0 || (guint64)st.st_size != n || n == 0) {
    return NULL;
  }
  start = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) {
    return NULL;
  }
  range = g_bytes_new_static(start, n);
  return g_bytes_new_with_free_func(start, n, unmap, range);
}

/* A copy of the first N bytes of a memory file. The file is not mapped, so that it may be cut
 * meanwhile; of no other file, reading might never end. The copy has pages of its own: a thousand
 * frames that come and go would leave the heap full of holes. */
static GBytes *
copy_shared(int fd, guint64 n)
{
  guint8 *bytes = MAP_FAILED;
  gsize done = 0;

  if (fcntl(fd, F_GET_SEALS) >= 0 && n > 0) {
    bytes = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (bytes == MAP_FAILED) {
    return NULL;
  }
  while (done < n) {
    ssize_t got = pread(fd, bytes + done, n - done, (off_t)done);

    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      munmap(bytes, n);
      return NULL;
    }
    done += (gsize)got;
  }
  return g_bytes_new_with_free_func(bytes, n, unmap, g_bytes_new_static(bytes, n));
}

static gboolean
head_is_sound(const DicomPacket *packet)
{
  const DicomAnswer *head = &packet->u.answer;

  if (packet->n < sizeof *head || head->magic != DICOM_PACKET_MAGIC ||
      head->version != DICOM_PACKET_VERSION || head->op > DICOM_OP_LAST ||
      head->body_shared > DICOM_SHARE_SEALED || head->pixels_shared > DICOM_SHARE_COPY ||
      head->zero != 0 || head->status > DICOM_STATUS_ERROR + (guint32)DICOM_ERROR_IO) {
    return FALSE;
  }
  if (head->body_bytes > DICOM_PACKET_MAX_BODY || head->pixel_bytes > DICOM_MAX_FRAME_BYTES) {
    return FALSE;
  }
  return packet->n_fds == (head->body_shared ? 1u : 0) + (head->pixels_shared ? 1u : 0) &&
         packet->n - sizeof *head == (head->body_shared ? 0 : head->body_bytes) +
                                         (head->pixels_shared ? 0 : head->pixel_bytes);
}

/* N bytes of the packet from AT on, or of a memory file. */
static GBytes *
take_part(const DicomPacket *packet, guint32 shared, guint *fd, gsize *at, guint64 n)
{
  if (shared) {
    int memory = packet->fds[(*fd)++];

    return shared == DICOM_SHARE_COPY ? copy_shared(memory, n) : map_sealed(memory, n);
  }
  *at += n;
  return g_bytes_new(packet->u.bytes + *at - n, n);
}

static gboolean
take_packet(DicomRemote *remote, gint64 until, Answer *answer, GError **error)
{
  DicomPacket packet;
  DicomPacketResult result;
  gsize at = sizeof(DicomAnswer);
  guint fd = 0;
  gboolean ok;

  for (;;) {
    result = dicom_packet_receive(remote->socket, &packet, TRUE);
    if (result != DICOM_PACKET_NONE) {
      break;
    }
    if (!wait_for(remote, POLLIN, until, error)) {
      return FALSE;
    }
  }
  if (result == DICOM_PACKET_CLOSED) {
    return fail(remote, DICOM_REMOTE_GONE, error, "the decoding process ended");
  }
  if (result == DICOM_PACKET_BROKEN) {
    return fail_nonsense(remote, error, "a message of the wrong size");
  }
  ok = head_is_sound(&packet);
  if (ok) {
    answer->head = packet.u.answer;
    answer->body = take_part(&packet, answer->head.body_shared, &fd, &at, answer->head.body_bytes);
    if (answer->head.pixel_bytes > 0) {
      answer->pixels =
          take_part(&packet, answer->head.pixels_shared, &fd, &at, answer->head.pixel_bytes);
    }
  }
  dicom_packet_clear(&packet);
  if (!ok || !answer->body || (answer->head.pixel_bytes > 0 && !answer->pixels)) {
    answer_clear(answer);
    return fail_nonsense(remote, error, ok ? "memory that is not sealed" : "a broken message");
  }
  return TRUE;
}

/* ---- one answer --------------------------------------------------------------------------- */

gboolean
dicom_remote_greet(DicomRemote *remote, DicomSandbox *sandbox, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  DicomHello hello;

  if (!remote->greeted) {
    if (!take_packet(remote, g_get_monotonic_time() + timeout_ms * 1000LL, &answer, error)) {
      return FALSE;
    }
    if (answer.head.op != DICOM_OP_HELLO || g_bytes_get_size(answer.body) != sizeof hello) {
      return fail_nonsense(remote, error, "it did not say hello");
    }
    memcpy(&hello, g_bytes_get_data(answer.body, NULL), sizeof hello);
    hello.note[sizeof hello.note - 1] = '\0';
    remote->sandbox.filtered = hello.filtered == 1;
    g_strlcpy(remote->sandbox.note, hello.note, sizeof remote->sandbox.note);
    g_strcanon(remote->sandbox.note,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;()-'", '?');
    remote->greeted = TRUE;
  }
  if (sandbox) {
    *sandbox = remote->sandbox;
  }
  return TRUE;
}

/* The answer to OLDEST_ID; those that say that it goes on start the clock anew. */
static gboolean
take_answer(DicomRemote *remote, DicomOp op, guint timeout_ms, Answer *answer, GError **error)
{
  if (!dicom_remote_greet(remote, NULL, timeout_ms, error)) {
    return FALSE;
  }
  do {
    answer_clear(answer);
    if (!take_packet(remote, g_get_monotonic_time() + timeout_ms * 1000LL, answer, error)) {
      return FALSE;
    }
    if (answer->head.id != remote->oldest_id || (op && answer->head.op != op)) {
      return fail_nonsense(remote, error, "it answered another question");
    }
  } while (answer->head.status == DICOM_STATUS_ALIVE);
  remote->oldest_id++;
  return TRUE;
}

/* A helper speaks English alone: what people meet most is said in their words. g_free(). */
static char *
in_words(const char *text, gsize n)
{
  static const char *const known[] = {N_("is neither DICOM, JPEG nor PNG"), N_("is empty")};
  g_autofree char *message = g_strndup(text, n);

  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    if (g_str_has_suffix(message, known[i])) {
      message[strlen(message) - strlen(known[i])] = '\0';
      return g_strconcat(message, _(known[i]), NULL);
    }
  }
  return g_steal_pointer(&message);
}

/* The file's own error, told by the helper. */
static gboolean
give_error(DicomRemote *remote, const Answer *answer, GError **error)
{
  gsize n;
  const char *text = g_bytes_get_data(answer->body, &n);

  if (n == 0 || n > DICOM_PACKET_MAX_MESSAGE || !g_utf8_validate_len(text, n, NULL)) {
    return fail_nonsense(remote, error, "an error without a message");
  }
  g_autofree char *message = in_words(text, n);
  g_set_error_literal(error, DICOM_ERROR, (gint)(answer->head.status - DICOM_STATUS_ERROR),
                      message);
  return FALSE;
}

static gboolean
take_good_answer(DicomRemote *remote, DicomOp op, guint timeout_ms, Answer *answer, GError **error)
{
  if (!take_answer(remote, op, timeout_ms, answer, error)) {
    return FALSE;
  }
  if (answer->head.status != DICOM_STATUS_OK) {
    return give_error(remote, answer, error);
  }
  if ((op == DICOM_OP_FRAME) != (answer->pixels != NULL)) {
    return fail_nonsense(remote, error, "a frame without pixels, or pixels without a frame");
  }
  return TRUE;
}

static gboolean
ask(DicomRemote *remote, DicomOp op, int fd, const char *name, guint frame, int presentation_fd,
    const char *presentation, guint timeout_ms, GError **error)
{
  DicomRequest request = {.op = op, .frame = frame, .timeout_ms = timeout_ms};
  const int fds[] = {fd, presentation_fd};
  guint n_fds = fd < 0 ? 0 : presentation_fd < 0 ? 1 : 2;

  return send_request(remote, &request, name, presentation ? presentation : "", fds, n_fds,
                      g_get_monotonic_time() + timeout_ms * 1000LL, error);
}

gboolean
dicom_remote_settle(DicomRemote *remote, guint timeout_ms)
{
  int cancel_fd = remote->cancel_fd;
  gboolean ok = TRUE;

  remote->cancel_fd = -1;
  while (ok && dicom_remote_owed(remote) > 0) {
    g_auto(Answer) answer = {0};

    ok = take_answer(remote, 0, timeout_ms, &answer, NULL);
  }
  remote->cancel_fd = cancel_fd;
  /* Nothing may come unasked, and a closed socket is readable too. */
  struct pollfd idle = {remote->socket, POLLIN, 0};
  return ok && poll(&idle, 1, 0) == 0;
}

/* ---- the questions ------------------------------------------------------------------------ */

gboolean
dicom_remote_ask_info(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                      GError **error)
{
  return ask(remote, DICOM_OP_INFO, fd, name, 0, -1, NULL, timeout_ms, error);
}

DicomInfo *
dicom_remote_take_info(DicomRemote *remote, const char *name, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  DicomInfo *info;

  if (!take_good_answer(remote, DICOM_OP_INFO, timeout_ms, &answer, error)) {
    return NULL;
  }
  info =
      dicom_info_unpack(g_bytes_get_data(answer.body, NULL), g_bytes_get_size(answer.body), error);
  if (!info) {
    remote->state = DICOM_REMOTE_MAD;
    return NULL;
  }
  /* Which file it was is not for the helper to say. */
  g_free(info->path);
  info->path = g_strdup(name);
  return info;
}

DicomInfo *
dicom_remote_info(DicomRemote *remote, int fd, const char *name, guint timeout_ms, GError **error)
{
  return dicom_remote_ask_info(remote, fd, name, timeout_ms, error)
             ? dicom_remote_take_info(remote, name, timeout_ms, error)
             : NULL;
}

DicomFrame *
dicom_remote_frame(DicomRemote *remote, int fd, const char *name, guint frame, int presentation_fd,
                   const char *presentation, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  DicomFrame *made;

  if (!ask(remote, DICOM_OP_FRAME, fd, name, frame, presentation_fd, presentation, timeout_ms,
           error) ||
      !take_good_answer(remote, DICOM_OP_FRAME, timeout_ms, &answer, error)) {
    return NULL;
  }
  made = dicom_frame_unpack(g_bytes_get_data(answer.body, NULL), g_bytes_get_size(answer.body),
                            answer.pixels, error);
  if (!made) {
    remote->state = DICOM_REMOTE_MAD;
  }
  return made;
}

gboolean
dicom_remote_summary(DicomRemote *remote, int fd, const char *name, char md5[33], double *pix_min,
                     double *pix_max, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  DicomSummary summary;

  if (!ask(remote, DICOM_OP_SUMMARY, fd, name, 0, -1, NULL, timeout_ms, error) ||
      !take_good_answer(remote, DICOM_OP_SUMMARY, timeout_ms, &answer, error)) {
    return FALSE;
  }
  if (g_bytes_get_size(answer.body) != sizeof summary) {
    return fail_nonsense(remote, error, "a summary of the wrong size");
  }
  memcpy(&summary, g_bytes_get_data(answer.body, NULL), sizeof summary);
  for (guint i = 0; i < 32; i++) {
    if (!g_ascii_isxdigit(summary.md5[i])) {
      return fail_nonsense(remote, error, "a checksum that is none");
    }
  }
  memcpy(md5, summary.md5, 32);
  md5[32] = '\0';
  *pix_min = summary.pix_min;
  *pix_max = summary.pix_max;
  return TRUE;
}

char *
dicom_remote_report_text(DicomRemote *remote, int fd, const char *name, guint timeout_ms,
                         GError **error)
{
  g_auto(Answer) answer = {0};
  const char *text;
  gsize n;

  if (!ask(remote, DICOM_OP_REPORT, fd, name, 0, -1, NULL, timeout_ms, error) ||
      !take_good_answer(remote, DICOM_OP_REPORT, timeout_ms, &answer, error)) {
    return NULL;
  }
  text = g_bytes_get_data(answer.body, &n);
  if (!g_utf8_validate_len(text ? text : "", n, NULL)) {
    fail_nonsense(remote, error, "a text that is not UTF-8");
    return NULL;
  }
  return g_strndup(text ? text : "", n);
}

GPtrArray *
dicom_remote_tags(DicomRemote *remote, int fd, const char *name, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  GPtrArray *tags;

  if (!ask(remote, DICOM_OP_TAGS, fd, name, 0, -1, NULL, timeout_ms, error) ||
      !take_good_answer(remote, DICOM_OP_TAGS, timeout_ms, &answer, error)) {
    return NULL;
  }
  tags =
      dicom_tags_unpack(g_bytes_get_data(answer.body, NULL), g_bytes_get_size(answer.body), error);
  if (!tags) {
    remote->state = DICOM_REMOTE_MAD;
  }
  return tags;
}

GBytes *
dicom_remote_pdf(DicomRemote *remote, int fd, const char *name, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};

  if (!ask(remote, DICOM_OP_PDF, fd, name, 0, -1, NULL, timeout_ms, error) ||
      !take_good_answer(remote, DICOM_OP_PDF, timeout_ms, &answer, error)) {
    return NULL;
  }
  return g_steal_pointer(&answer.body);
}

gboolean
dicom_remote_sandbox(DicomRemote *remote, DicomSandbox *sandbox, guint timeout_ms, GError **error)
{
  g_auto(Answer) answer = {0};
  DicomHello hello;

  if (!ask(remote, DICOM_OP_SANDBOX, -1, "", 0, -1, NULL, timeout_ms, error) ||
      !take_good_answer(remote, DICOM_OP_SANDBOX, timeout_ms, &answer, error)) {
    return FALSE;
  }
  if (g_bytes_get_size(answer.body) != sizeof hello) {
    return fail_nonsense(remote, error, "a report of the wrong size");
  }
  memcpy(&hello, g_bytes_get_data(answer.body, NULL), sizeof hello);
  *sandbox = remote->sandbox;
  sandbox->open_denied = hello.open == 1;
  sandbox->write_denied = hello.write == 1;
  sandbox->connect_denied = hello.connect == 1;
  sandbox->fork_denied = hello.fork == 1;
  return TRUE;
}
