/* test-remote.c - the two ends of a decoding helper against each other in one process, and each
 * against an end that has gone mad. */
#include "dicom_remote.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dicom/helper/helper.h"
#include "dicom/wire/packet.h"
#include "state.h"

#define TIMEOUT_MS 20000

static char *image_path;

static char *
write_square(guint side)
{
  g_auto(Build) b = {0};
  const Shape shape = {.rows = side,
                       .columns = side,
                       .frames = 1,
                       .samples = 1,
                       .bits = 16,
                       .stored = 16,
                       .high = 15,
                       .photometric = "MONOCHROME2",
                       .planar = -1};
  g_autofree guint16 *words = g_new(guint16, side * side);

  for (guint i = 0; i < side * side; i++) {
    words[i] = (guint16)(i * side + i / 7);
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_words(&b, 0x7fe00010, "OW", words, side * side);
  return build_write(&b, "square.dcm");
}

static void
write_frames(void)
{
  g_auto(Build) b = {0};
  const Shape shape = {.rows = 300,
                       .columns = 200,
                       .frames = 3,
                       .samples = 1,
                       .bits = 16,
                       .stored = 12,
                       .high = 11,
                       .photometric = "MONOCHROME2",
                       .planar = -1};
  g_autofree guint16 *words = g_new(guint16, 300 * 200 * 3);

  for (guint i = 0; i < 300 * 200 * 3; i++) {
    words[i] = (guint16)(i * 5 % 4096);
  }
  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_words(&b, 0x7fe00010, "OW", words, 300 * 200 * 3);
  image_path = build_write(&b, "remote.dcm");
}

static void
pair(int ends[2])
{
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
}

/* ---- the helper's end, in a thread -------------------------------------------------------- */

static gpointer
serve(gpointer data)
{
  int socket = GPOINTER_TO_INT(data);
  const DicomHello hello = {.filtered = 0, .note = "no sandbox in a test"};
  int status = dicom_helper_serve(socket, &hello, NULL);

  close(socket);
  return GINT_TO_POINTER(status);
}

static void
test_questions(void)
{
  int ends[2], fd = dicom_remote_open(image_path, NULL);
  g_autoptr(GError) error = NULL;
  DicomSandbox sandbox;
  char md5[33];
  double low, high;

  pair(ends);
  GThread *thread = g_thread_new("helper", serve, GINT_TO_POINTER(ends[1]));
  DicomRemote *remote = dicom_remote_new(ends[0]);
  g_assert_true(dicom_remote_greet(remote, &sandbox, TIMEOUT_MS, &error));
  g_assert_false(sandbox.filtered);
  g_assert_cmpstr(sandbox.note, ==, "no sandbox in a test");

  g_autoptr(DicomInfo) info = dicom_remote_info(remote, fd, image_path, TIMEOUT_MS, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(info->frames, ==, 3);
  g_assert_cmpstr(info->path, ==, image_path);
  for (guint i = 0; i < 3; i++) {
    g_autoptr(DicomFrame) frame =
        dicom_remote_frame(remote, fd, image_path, i, -1, NULL, TIMEOUT_MS, &error);
    double value;

    g_assert_no_error(error);
    g_assert_true(dicom_frame_value(frame, 1, 0, &value));
    g_assert_cmpfloat(value, ==, (i * 300 * 200 + 1) * 5 % 4096);
  }
  g_assert_null(dicom_remote_frame(remote, fd, image_path, 3, -1, NULL, TIMEOUT_MS, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  g_assert_nonnull(strstr(error->message, image_path));
  g_clear_error(&error);
  g_assert_true(dicom_remote_summary(remote, fd, image_path, md5, &low, &high, TIMEOUT_MS, &error));
  g_assert_cmpfloat(low, ==, 0);
  g_assert_cmpfloat(high, ==, 4095);
  g_assert_cmpint(dicom_remote_state(remote), ==, DICOM_REMOTE_GOOD);

  /* Several questions under way; answers come in their order. */
  for (guint i = 0; i < 5; i++) {
    g_assert_true(dicom_remote_ask_info(remote, fd, image_path, TIMEOUT_MS, &error));
  }
  g_assert_cmpuint(dicom_remote_owed(remote), ==, 5);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(DicomInfo) next = dicom_remote_take_info(remote, image_path, TIMEOUT_MS, &error);
    g_assert_no_error(error);
  }
  g_assert_true(dicom_remote_settle(remote, TIMEOUT_MS));
  g_assert_cmpuint(dicom_remote_owed(remote), ==, 0);

  dicom_remote_free(remote);
  close(fd);
  g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, 0);
}

/* Pixels in the packet, in the memory file that is written again, in one of their own, and back to
 * small ones: each frame keeps its own, whatever comes after it. */
static void
test_sizes(void)
{
  static const guint sides[] = {50, 300, 1500, 300, 3000, 2000, 200, 1500};
  DicomFrame *here[G_N_ELEMENTS(sides)], *there[G_N_ELEMENTS(sides)];
  g_autoptr(GError) error = NULL;
  int ends[2];

  pair(ends);
  GThread *thread = g_thread_new("helper", serve, GINT_TO_POINTER(ends[1]));
  DicomRemote *remote = dicom_remote_new(ends[0]);
  for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
    g_autofree char *path = write_square(sides[i]);
    g_autoptr(DicomFile) file = dicom_file_open(path, &error);
    int fd = dicom_remote_open(path, NULL);

    here[i] = dicom_file_read_frame(file, 0, &error);
    there[i] = dicom_remote_frame(remote, fd, path, 0, -1, NULL, TIMEOUT_MS, &error);
    g_assert_no_error(error);
    close(fd);
  }
  for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
    gsize n_here, n_there;
    const guint8 *a = dicom_frame_stored(here[i], &n_here);
    const guint8 *b = dicom_frame_stored(there[i], &n_there);

    g_assert_true(n_here == n_there && memcmp(a, b, n_here) == 0);
    dicom_frame_unref(here[i]);
    dicom_frame_unref(there[i]);
  }
  dicom_remote_free(remote);
  g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, 0);
}

/* An image and the presentation state of it, each by a descriptor of its own. */
static void
test_presentation(void)
{
  g_autofree char *image = write_image("MONOCHROME1", NULL);
  g_autofree char *state = write_state(plain_state);
  g_autoptr(DicomFrame) here = with_state(image, 1, state);
  g_autoptr(GBytes) packed = dicom_frame_pack(here);
  int ends[2], fd = dicom_remote_open(image, NULL), state_fd = dicom_remote_open(state, NULL);
  g_autoptr(GError) error = NULL;

  pair(ends);
  GThread *thread = g_thread_new("helper", serve, GINT_TO_POINTER(ends[1]));
  DicomRemote *remote = dicom_remote_new(ends[0]);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(DicomFrame) there =
        dicom_remote_frame(remote, fd, image, 1, state_fd, state, TIMEOUT_MS, &error);

    g_assert_no_error(error);
    g_autoptr(GBytes) again = dicom_frame_pack(there);
    g_assert_true(g_bytes_equal(packed, again));
  }
  g_autoptr(DicomFrame) plain =
      dicom_remote_frame(remote, fd, image, 1, -1, NULL, TIMEOUT_MS, &error);
  g_autoptr(GBytes) without = dicom_frame_pack(plain);
  g_assert_false(g_bytes_equal(packed, without));
  g_assert_null(dicom_remote_frame(remote, fd, image, 1, fd, image, TIMEOUT_MS, &error));
  g_assert_nonnull(error);
  g_assert_cmpint(dicom_remote_state(remote), ==, DICOM_REMOTE_GOOD);
  close(fd);
  close(state_fd);
  dicom_remote_free(remote);
  g_thread_join(thread);
}

/* A file that changed since it was read last is read anew. */
static void
test_changed_file(void)
{
  g_autofree char *path = build_write_bytes("changing", "no image", 8);
  g_autofree char *bytes = NULL;
  int ends[2], fd = dicom_remote_open(image_path, NULL);
  g_autoptr(GError) error = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(image_path, &bytes, &n, NULL));
  g_free(build_write_bytes("changing", bytes, n));
  pair(ends);
  GThread *thread = g_thread_new("helper", serve, GINT_TO_POINTER(ends[1]));
  DicomRemote *remote = dicom_remote_new(ends[0]);
  close(fd);
  fd = dicom_remote_open(path, NULL);
  g_autoptr(DicomInfo) info = dicom_remote_info(remote, fd, path, TIMEOUT_MS, &error);
  g_assert_no_error(error);
  g_assert_cmpint(truncate(path, 100), ==, 0);
  g_assert_null(dicom_remote_info(remote, fd, path, TIMEOUT_MS, &error));
  g_assert_nonnull(error);
  close(fd);
  dicom_remote_free(remote);
  g_thread_join(thread);
}

/* What no application sends ends the helper, and nothing else happens. */
static void
test_bad_requests(void)
{
  static const DicomRequest good = {.magic = DICOM_PACKET_MAGIC,
                                    .version = DICOM_PACKET_VERSION,
                                    .op = DICOM_OP_INFO,
                                    .name_bytes = 1,
                                    .timeout_ms = 1000};

  for (guint i = 0; i < 12; i++) {
    int ends[2], fd = dicom_remote_open(image_path, NULL);
    DicomRequest request = good;
    struct iovec parts[] = {{&request, sizeof request}, {(void *)"x", 1}};
    int fds[] = {fd, fd};
    guint n_fds = 1;

    pair(ends);
    GThread *thread = g_thread_new("helper", serve, GINT_TO_POINTER(ends[1]));
    request.magic += i == 0;
    request.version += i == 1;
    request.op = i == 2 ? DICOM_OP_HELLO : i == 3 ? DICOM_OP_LAST + 1 : request.op;
    request.name_bytes += i == 4;
    request.presentation_bytes += i == 5;
    request.name_bytes = i == 6 ? G_MAXUINT32 : request.name_bytes;
    parts[0].iov_len -= i == 7;
    parts[0].iov_len = i == 8 ? 3 : parts[0].iov_len;
    n_fds = i == 9 ? 0 : i == 10 ? 2 : 1;
    request.op = i == 11 ? DICOM_OP_SANDBOX : request.op; /* with a descriptor */
    dicom_packet_send(ends[0], parts, 2, fds, n_fds, FALSE);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, 1);
    close(ends[0]);
    close(fd);
  }
}

/* ---- a helper that has gone mad ----------------------------------------------------------- */

typedef enum {
  MAD_NOT,
  MAD_MAGIC,
  MAD_VERSION,
  MAD_OP,
  MAD_ID,
  MAD_STATUS,
  MAD_ZERO,
  MAD_FLAG,
  MAD_BODY_SHORTER,
  MAD_BODY_LONGER,
  MAD_BODY_HUGE,
  MAD_PIXELS_SHORTER,
  MAD_PIXELS_HUGE,
  MAD_PIXELS_NONE,
  MAD_UNSEALED,
  MAD_HALF_SEALED,
  MAD_COPY, /* another good one */
  MAD_COPY_SHORTER,
  MAD_COPY_NO_MEMORY_FILE,
  MAD_NO_MEMORY_FILE,
  MAD_FD_MISSING,
  MAD_SHORT_HEAD,
  MAD_NO_HELLO,
  MAD_ERROR_BYTES,
  MAD_CLOSE,
  MAD_SILENT,
  MAD_LAST,
} Madness;

typedef struct {
  int socket;
  Madness madness;
} Mad;

static int
memory_file(gsize n, int seals)
{
  int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint(ftruncate(fd, (off_t)n), ==, 0);
  g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
  return fd;
}

static void
say_hello(int socket)
{
  DicomHello hello = {.filtered = 1};
  DicomAnswer head = {
      .magic = DICOM_PACKET_MAGIC, .version = DICOM_PACKET_VERSION, .body_bytes = sizeof hello};
  struct iovec parts[] = {{&head, sizeof head}, {&hello, sizeof hello}};

  dicom_packet_send(socket, parts, 2, NULL, 0, FALSE);
}

/* A frame of 1024 x 700, with everything as it should be but MADNESS. */
static void
answer_madly(int socket, const DicomRequest *request, Madness madness)
{
  const int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const gsize n = 1024 * 700;
  g_autoptr(DicomFrame) frame = dicom_frame_new(1024, 700, 1, SAMPLE_U8);
  frame->ranged = TRUE; /* it has no pixels in which to look for one */
  g_autoptr(GBytes) packed = dicom_frame_pack(frame);
  DicomAnswer head = {.magic = DICOM_PACKET_MAGIC,
                      .version = DICOM_PACKET_VERSION,
                      .op = request->op,
                      .id = request->id,
                      .pixels_shared = 1,
                      .body_bytes = g_bytes_get_size(packed),
                      .pixel_bytes = n};
  struct iovec parts[] = {{&head, sizeof head},
                          {(void *)g_bytes_get_data(packed, NULL), g_bytes_get_size(packed)}};
  gboolean no_memory = madness == MAD_NO_MEMORY_FILE || madness == MAD_COPY_NO_MEMORY_FILE;
  int fd = no_memory                     ? open(image_path, O_RDONLY | O_CLOEXEC)
           : madness == MAD_UNSEALED     ? memory_file(n, 0)
           : madness == MAD_HALF_SEALED  ? memory_file(n, all & ~F_SEAL_SHRINK)
           : madness == MAD_COPY         ? memory_file(2 * n, 0)
           : madness == MAD_COPY_SHORTER ? memory_file(n - 1, 0)
                                         : memory_file(n - (madness == MAD_PIXELS_SHORTER), all);

  head.magic += madness == MAD_MAGIC;
  head.version += madness == MAD_VERSION;
  head.op += madness == MAD_OP;
  head.id += madness == MAD_ID;
  head.status = madness == MAD_STATUS        ? DICOM_STATUS_ERROR + DICOM_ERROR_HELPER
                : madness == MAD_ERROR_BYTES ? DICOM_STATUS_ERROR + DICOM_ERROR_CORRUPT
                                             : DICOM_STATUS_OK;
  head.zero = madness == MAD_ZERO;
  if (madness >= MAD_COPY && madness <= MAD_COPY_NO_MEMORY_FILE) {
    head.pixels_shared = DICOM_SHARE_COPY;
  }
  head.pixels_shared += madness == MAD_FLAG ? DICOM_SHARE_COPY : 0;
  head.body_bytes -= madness == MAD_BODY_SHORTER;
  head.body_bytes += madness == MAD_BODY_LONGER;
  head.body_bytes = madness == MAD_BODY_HUGE ? G_MAXUINT64 : head.body_bytes;
  head.pixel_bytes = madness == MAD_PIXELS_HUGE ? G_MAXUINT64 : head.pixel_bytes;
  if (madness == MAD_PIXELS_NONE) {
    head.pixel_bytes = 0;
    head.pixels_shared = 0;
  }
  if (madness == MAD_SHORT_HEAD) {
    parts[0].iov_len = 7;
  }
  if (madness != MAD_CLOSE && madness != MAD_SILENT) {
    gboolean none = madness == MAD_FD_MISSING || madness == MAD_PIXELS_NONE;

    dicom_packet_send(socket, parts, madness == MAD_SHORT_HEAD ? 1 : 2, &fd, none ? 0 : 1, FALSE);
  }
  close(fd);
}

static gpointer
be_mad(gpointer data)
{
  const Mad *mad = data;
  DicomPacket packet;

  if (mad->madness != MAD_NO_HELLO) {
    say_hello(mad->socket);
  }
  if (dicom_packet_receive(mad->socket, &packet, FALSE) == DICOM_PACKET_OK) {
    answer_madly(mad->socket, &packet.u.request, mad->madness);
    dicom_packet_clear(&packet);
  }
  if (mad->madness == MAD_SILENT) {
    dicom_packet_receive(mad->socket, &packet, FALSE); /* until the other end closes */
  }
  close(mad->socket);
  return NULL;
}

static void
test_mad_helper(void)
{
  for (guint madness = MAD_NOT; madness < MAD_LAST; madness++) {
    int ends[2], fd = dicom_remote_open(image_path, NULL);
    g_autoptr(GError) error = NULL;
    gboolean good = madness == MAD_NOT || madness == MAD_COPY;
    DicomRemoteState expected = good                    ? DICOM_REMOTE_GOOD
                                : madness == MAD_CLOSE  ? DICOM_REMOTE_GONE
                                : madness == MAD_SILENT ? DICOM_REMOTE_LATE
                                                        : DICOM_REMOTE_MAD;

    g_test_message("%u", madness);
    pair(ends);
    Mad mad = {ends[1], madness};
    GThread *thread = g_thread_new("mad", be_mad, &mad);
    DicomRemote *remote = dicom_remote_new(ends[0]);
    g_autoptr(DicomFrame) frame = dicom_remote_frame(
        remote, fd, image_path, 0, -1, NULL, madness == MAD_SILENT ? 200 : TIMEOUT_MS, &error);
    g_assert_cmpint(dicom_remote_state(remote), ==, expected);
    if (good) {
      g_assert_no_error(error);
      g_assert_cmpuint(dicom_frame_width(frame), ==, 1024);
    } else {
      g_assert_null(frame);
      g_assert_error(error, DICOM_ERROR, DICOM_ERROR_HELPER);
    }
    dicom_remote_free(remote);
    g_thread_join(thread);
    close(fd);
  }
}

/* Whatever comes over the socket, whole or damaged: no crash, and a state that says so. */
static void
test_noise(void)
{
  g_autoptr(GRand) random = g_rand_new_with_seed(5);

  for (guint round = 0; round < 300; round++) {
    int ends[2], fd = dicom_remote_open(image_path, NULL);
    g_autoptr(GError) error = NULL;
    const gint n = sizeof(DicomAnswer) + 40;
    g_autofree guint8 *noise = g_malloc0((gsize)n);
    DicomAnswer *head = (gpointer)noise;
    struct iovec part = {noise, (gsize)g_rand_int_range(random, 1, n)};

    pair(ends);
    say_hello(ends[1]);
    *head = (DicomAnswer){.magic = DICOM_PACKET_MAGIC,
                          .version = DICOM_PACKET_VERSION,
                          .op = DICOM_OP_INFO,
                          .body_bytes = 40};
    for (guint i = 0; i < 3; i++) {
      noise[g_rand_int_range(random, 0, n)] = (guint8)g_rand_int(random);
    }
    dicom_packet_send(ends[1], &part, 1, &fd, (guint)g_rand_int_range(random, 0, 2), FALSE);
    close(ends[1]);
    DicomRemote *remote = dicom_remote_new(ends[0]);
    g_assert_null(dicom_remote_take_info(remote, image_path, TIMEOUT_MS, &error));
    g_assert_nonnull(error);
    dicom_remote_free(remote);
    close(fd);
  }
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  write_frames();
  g_test_add_func("/remote/questions", test_questions);
  g_test_add_func("/remote/sizes", test_sizes);
  g_test_add_func("/remote/presentation", test_presentation);
  g_test_add_func("/remote/changed-file", test_changed_file);
  g_test_add_func("/remote/bad-requests", test_bad_requests);
  g_test_add_func("/remote/mad-helper", test_mad_helper);
  g_test_add_func("/remote/noise", test_noise);
  status = g_test_run();
  g_free(image_path);
  build_remove(build_folder());
  return status;
}
