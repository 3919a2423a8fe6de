/* serve.c - requests and answers of the decoding helper. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicom/dataset/dataset.h"
#include "dicom/limits.h"
#include "dicom/wire/wire.h"
#include "dicom_remote.h"
#include "dicom/helper/helper.h"

/* Files kept open, so that the frames of a cine or the header and frame of a picture do not parse
 * the header anew: about one for each thing that an application does at a time. */
#define MAX_KEPT 4
#define DEFLATED "1.2.840.10008.1.2.1.99"

/* One file, as long as nobody writes to it. */
typedef struct {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  char *name;
  DicomFile *file;
} Kept;

typedef struct {
  int socket;
  void (*renew)(guint timeout_ms);
  Kept kept[MAX_KEPT]; /* newest first */
  guint n_kept;
  const DicomRequest *request; /* the one at hand */
  char *name, *presentation_name;
  DicomPacket *packet;
  int desk; /* the memory file that is written again and again; -1: not yet */
  gsize desk_bytes;
} Server;

static void
renew(Server *server, guint timeout_ms)
{
  if (server->renew) {
    server->renew(timeout_ms);
  }
}

/* ---- answers ------------------------------------------------------------------------------ */

static gboolean
write_all(int fd, const guint8 *bytes, gsize n)
{
  while (n > 0) {
    ssize_t done = write(fd, bytes, n);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return FALSE;
    }
    bytes += done;
    n -= (gsize)done;
  }
  return TRUE;
}

/* A memory file of N bytes that nobody can change again; -1 when there is no memory. Written and
 * not mapped: that costs no page faults, and a file that is mapped for writing cannot be sealed. */
static int
share(const void *bytes, gsize n)
{
  int fd = memfd_create("hilum", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd >= 0 &&
      (!write_all(fd, bytes, n) ||
       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)) {
    int saved = errno;

    close(fd);
    errno = saved;
    fd = -1;
  }
  return fd;
}

/* A descriptor of the memory file that has N bytes of pixels at its beginning until the next
 * question, which is not asked before they are copied. */
static int
share_again(Server *server, const void *pixels, gsize n)
{
  if (server->desk < 0) {
    server->desk = memfd_create("hilum-desk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  if (n < server->desk_bytes / 4 && ftruncate(server->desk, (off_t)n) == 0) {
    server->desk_bytes = n; /* the large ones are over, it seems */
  }
  if (server->desk < 0 || lseek(server->desk, 0, SEEK_SET) != 0 ||
      !write_all(server->desk, pixels, n)) {
    return -1;
  }
  server->desk_bytes = MAX(server->desk_bytes, n);
  return dup(server->desk);
}

static void
close_all(const int *fds, guint n)
{
  for (guint i = 0; i < n; i++) {
    close(fds[i]);
  }
}

static const char *
why_not_shared(int number)
{
  return number == EFBIG ? "the frame is larger than the limit of file sizes (ulimit -f)"
                         : "there is not enough memory to hand over the frame";
}

/* FALSE: the other end is gone. */
static gboolean
answer(Server *server, guint32 status, const void *body, gsize n_body, const void *pixels,
       gsize n_pixels)
{
  DicomAnswer head = {.magic = DICOM_PACKET_MAGIC,
                      .version = DICOM_PACKET_VERSION,
                      .op = server->request->op,
                      .id = server->request->id,
                      .status = status,
                      .body_bytes = n_body,
                      .pixel_bytes = n_pixels};
  struct iovec parts[3] = {
      {&head, sizeof head}, {(void *)body, n_body}, {(void *)pixels, n_pixels}};
  int fds[DICOM_PACKET_MAX_FDS] = {-1, -1};
  guint n_fds = 0;
  DicomPacketResult result;

  head.body_shared = n_body > DICOM_PACKET_MAX - sizeof head;
  if (n_pixels > DICOM_PACKET_MAX - sizeof head - (head.body_shared ? 0 : n_body)) {
    head.pixels_shared = n_pixels > DICOM_PACKET_MAX_COPIED ? DICOM_SHARE_SEALED : DICOM_SHARE_COPY;
  }
  for (guint i = 1; i <= 2; i++) {
    if (i == 1 ? head.body_shared : head.pixels_shared) {
      fds[n_fds] = i == 2 && head.pixels_shared == DICOM_SHARE_COPY
                       ? share_again(server, parts[i].iov_base, parts[i].iov_len)
                       : share(parts[i].iov_base, parts[i].iov_len);
      parts[i].iov_len = 0;
      if (fds[n_fds] < 0) {
        const char *why = why_not_shared(errno);
        g_autofree char *name = g_filename_display_name(server->name);
        g_autofree char *text = g_strdup_printf("%s: %s", name, why);

        close_all(fds, n_fds);
        return answer(server, DICOM_STATUS_ERROR + DICOM_ERROR_TOO_LARGE, why, strlen(why), NULL,
                      0);
      }
      n_fds++;
    }
  }
  result = dicom_packet_send(server->socket, parts, G_N_ELEMENTS(parts), fds, n_fds, FALSE);
  close_all(fds, n_fds);
  return result == DICOM_PACKET_OK;
}

static gboolean
answer_bytes(Server *server, GBytes *bytes)
{
  gsize n;
  gconstpointer body = g_bytes_get_data(bytes, &n);

  if (n > DICOM_PACKET_MAX_BODY) {
    g_autofree char *text =
        g_strdup_printf("%s: the answer has %" G_GSIZE_FORMAT " bytes; expected at most %d MiB",
                        server->name, n, (int)(DICOM_PACKET_MAX_BODY >> 20));

    return answer(server, DICOM_STATUS_ERROR + DICOM_ERROR_TOO_LARGE, text, strlen(text), NULL, 0);
  }
  return answer(server, DICOM_STATUS_OK, body, n, NULL, 0);
}

static gboolean
answer_error(Server *server, const GError *error)
{
  g_autofree char *text = g_utf8_make_valid(error->message, -1);
  guint code = error->domain == DICOM_ERROR ? (guint)error->code : (guint)DICOM_ERROR_CORRUPT;
  gsize n = strlen(text);

  if (n > DICOM_PACKET_MAX_MESSAGE) {
    n = (gsize)(g_utf8_find_prev_char(text, text + DICOM_PACKET_MAX_MESSAGE) - text);
  }
  return answer(server, DICOM_STATUS_ERROR + MIN(code, (guint)DICOM_ERROR_IO), text, n, NULL, 0);
}

/* What a file's nonsense made; the asking end would take it for the helper's. */
static gboolean
answer_unsound(Server *server, const char *why)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *name = g_filename_display_name(server->name);

  g_set_error(&error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: %s is not usable", name, why);
  return answer_error(server, error);
}

/* ---- files -------------------------------------------------------------------------------- */

static void
forget(Server *server, guint index)
{
  dicom_file_free(server->kept[index].file);
  g_free(server->kept[index].name);
  server->n_kept--;
  memmove(&server->kept[index], &server->kept[index + 1],
          (server->n_kept - index) * sizeof server->kept[0]);
}

static gboolean
is_same(const Kept *kept, const struct stat *st, const char *name)
{
  return kept->device == st->st_dev && kept->inode == st->st_ino && kept->size == st->st_size &&
         kept->changed.tv_sec == st->st_mtim.tv_sec &&
         kept->changed.tv_nsec == st->st_mtim.tv_nsec && strcmp(kept->name, name) == 0;
}

static gboolean
is_deflated(const Kept *kept)
{
  return strcmp(dicom_file_info(kept->file)->transfer_syntax, DEFLATED) == 0;
}

static DicomFile *
keep(Server *server, const struct stat *st, const char *name, DicomFile *file)
{
  Kept kept = {st->st_dev, st->st_ino, st->st_size, st->st_mtim, g_strdup(name), file};

  /* An inflated data set is in memory whole (DICOM_MAX_INFLATED): two of them, no more. */
  while (server->n_kept > (is_deflated(&kept) ? 0 : MAX_KEPT - 1) ||
         (server->n_kept > 0 && is_deflated(&server->kept[0]))) {
    forget(server, server->n_kept - 1);
  }
  memmove(&server->kept[1], &server->kept[0], server->n_kept * sizeof kept);
  server->kept[0] = kept;
  server->n_kept++;
  return file;
}

/* The file of the request's descriptor INDEX, which is taken. Borrowed. */
static DicomFile *
file_of(Server *server, guint index, const char *name, GError **error)
{
  int fd = server->packet->fds[index];
  DicomFile *file;
  struct stat st;

  if (fstat(fd, &st) != 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be read: %s", name,
                g_strerror(errno));
    return NULL;
  }
  for (guint i = 0; i < server->n_kept; i++) {
    if (is_same(&server->kept[i], &st, name)) {
      Kept found = server->kept[i];

      memmove(&server->kept[1], &server->kept[0], i * sizeof found);
      server->kept[0] = found;
      return found.file;
    }
  }
  server->packet->fds[index] = -1;
  file = dicom_file_open_fd(fd, name, error);
  return file ? keep(server, &st, name, file) : NULL;
}

/* ---- operations --------------------------------------------------------------------------- */

static gboolean
answer_info(Server *server, DicomFile *file, GError **error)
{
  const DicomInfo *info = dicom_file_info(file);
  g_autoptr(GBytes) body = NULL;
  const char *why;

  if (!dicom_info_is_sound(info, &why)) {
    return answer_unsound(server, why);
  }
  body = dicom_info_pack(info);
  return answer_bytes(server, body);
}

static gboolean
answer_frame(Server *server, DicomFile *file, GError **error)
{
  guint index = server->request->frame;
  g_autoptr(DicomFrame) frame = dicom_file_read_frame(file, index, error);
  g_autoptr(GBytes) body = NULL;
  const char *why;
  gsize n;

  if (!frame) {
    return FALSE;
  }
  if (server->packet->n_fds > 1) {
    /* The image's own file may be forgotten when this one is kept. */
    g_autoptr(DicomInfo) info = dicom_info_copy(dicom_file_info(file));
    DicomFile *state = file_of(server, 1, server->presentation_name, error);

    if (!state || !dicom_frame_apply_presentation(frame, info, index, state, error)) {
      return FALSE;
    }
  }
  if (!dicom_frame_is_sound(frame, &why)) {
    return answer_unsound(server, why);
  }
  body = dicom_frame_pack(frame);
  const guint8 *stored = dicom_frame_stored(frame, &n);
  gsize n_body;
  gconstpointer bytes = g_bytes_get_data(body, &n_body);
  return answer(server, DICOM_STATUS_OK, bytes, n_body, stored, n);
}

/* A long file is not a late answer: the time starts anew with each frame. */
static gboolean
say_alive(guint done, guint total, gpointer data)
{
  Server *server = data;

  if (done == total) {
    return TRUE;
  }
  renew(server, server->request->timeout_ms);
  return answer(server, DICOM_STATUS_ALIVE, NULL, 0, NULL, 0);
}

static gboolean
answer_summary(Server *server, DicomFile *file, GError **error)
{
  DicomSummary summary = {0};
  char md5[33];

  if (!dicom_file_pixel_summary(file, say_alive, server, md5, &summary.pix_min, &summary.pix_max,
                                error)) {
    return FALSE;
  }
  memcpy(summary.md5, md5, sizeof summary.md5);
  return answer(server, DICOM_STATUS_OK, &summary, sizeof summary, NULL, 0);
}

static gboolean
answer_report(Server *server, DicomFile *file, GError **error)
{
  g_autofree char *text = dicom_file_report_text(file, error);

  return text && answer(server, DICOM_STATUS_OK, text, strlen(text), NULL, 0);
}

static gboolean
answer_pdf(Server *server, DicomFile *file, GError **error)
{
  g_autoptr(GBytes) pdf = dicom_file_pdf(file, error);

  return pdf && answer_bytes(server, pdf);
}

static gboolean
answer_tags(Server *server, DicomFile *file, GError **error)
{
  g_autoptr(GPtrArray) tags = dicom_file_tags(file);
  g_autoptr(GBytes) body = dicom_tags_pack(tags);

  return answer_bytes(server, body);
}

/* FALSE: the other end is gone. */
static gboolean
handle(Server *server)
{
  static gboolean (*const operations[])(Server *, DicomFile *, GError **) = {
      [DICOM_OP_INFO] = answer_info,       [DICOM_OP_FRAME] = answer_frame,
      [DICOM_OP_SUMMARY] = answer_summary, [DICOM_OP_REPORT] = answer_report,
      [DICOM_OP_PDF] = answer_pdf,         [DICOM_OP_TAGS] = answer_tags};
  g_autoptr(GError) error = NULL;
  DicomFile *file;

  if (server->request->op == DICOM_OP_SANDBOX) {
    DicomHello hello = {0};

    dicom_helper_try(&hello);
    return answer(server, DICOM_STATUS_OK, &hello, sizeof hello, NULL, 0);
  }
  file = file_of(server, 0, server->name, &error);
  if (file && operations[server->request->op](server, file, &error)) {
    return TRUE;
  }
  return error && answer_error(server, error);
}

/* The asking end is trusted, and its mistakes are ours; but a helper that reads them wrong would be
 * worth nothing. */
static gboolean
request_is_sound(const DicomPacket *packet)
{
  const DicomRequest *r = &packet->u.request;
  guint n_fds = r->op == DICOM_OP_SANDBOX ? 0 : 1;

  if (packet->n < sizeof *r || r->magic != DICOM_PACKET_MAGIC ||
      r->version != DICOM_PACKET_VERSION || r->op == DICOM_OP_HELLO || r->op > DICOM_OP_LAST ||
      r->name_bytes > DICOM_PACKET_MAX_NAME || r->presentation_bytes > DICOM_PACKET_MAX_NAME ||
      packet->n != sizeof *r + r->name_bytes + r->presentation_bytes) {
    return FALSE;
  }
  return packet->n_fds == n_fds || (r->op == DICOM_OP_FRAME && packet->n_fds == 2);
}

int
dicom_helper_serve(int socket, const DicomHello *hello, void (*renew_by)(guint timeout_ms))
{
  const DicomRequest first = {.op = DICOM_OP_HELLO};
  g_autofree DicomPacket *packet = g_new0(DicomPacket, 1);
  Server server = {
      .socket = socket, .renew = renew_by, .request = &first, .packet = packet, .desk = -1};
  DicomPacketResult result;
  gboolean going = answer(&server, DICOM_STATUS_OK, hello, sizeof *hello, NULL, 0);

  while (going) {
    result = dicom_packet_receive(socket, packet, FALSE);
    if (result == DICOM_PACKET_CLOSED) {
      break;
    }
    going = result == DICOM_PACKET_OK && request_is_sound(packet);
    if (going) {
      const char *names = (const char *)packet->u.bytes + sizeof(DicomRequest);

      server.request = &packet->u.request;
      server.name = g_strndup(names, server.request->name_bytes);
      server.presentation_name =
          g_strndup(names + server.request->name_bytes, server.request->presentation_bytes);
      renew(&server, server.request->timeout_ms);
      going = handle(&server);
      renew(&server, 0);
      g_free(server.name);
      g_free(server.presentation_name);
    }
    dicom_packet_clear(packet);
  }
  while (server.n_kept > 0) {
    forget(&server, 0);
  }
  if (server.desk >= 0) {
    close(server.desk);
  }
  return going ? 0 : 1;
}

int
dicom_helper_run(int socket)
{
  DicomHello hello = {0};

  /* What it reads from disk must be read before the sandbox closes. */
  dicom_charset_load();
  dicom_helper_limit();
  dicom_helper_close_sandbox(&hello, socket);
  return dicom_helper_serve(socket, &hello, dicom_helper_renew);
}
