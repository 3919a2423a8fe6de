/* test-fuzz.c - damaged copies of real files: each is shown or refused, and none ends the program.
 *
 * The seeds are the small files that python3-pydicom ships, and a phantom that this test makes.
 * Damage is drawn from a fixed seed: bytes changed, a run overwritten, a piece cut out, the end cut
 * off. Each copy is opened and rendered in a child with a limit of memory and of time. */
#include "dicom.h"
#include "dicom_phantom.h"
#include "shared.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/test_files"
#define MOST_SEED_BYTES (256 << 10)
#define MEMORY ((rlim_t)2 << 30)
#define SECONDS 20

enum { SHOWN = 0, REFUSED = 10 };

static char *folder, *copy;

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Small files, in the order of their names: the drawn damage must not depend on the folder's. */
static GPtrArray *
read_seeds(void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(PYDICOM, 0, NULL);
  g_autoptr(GError) error = NULL;
  PhantomTruth truth;
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    if (g_str_has_suffix(name, ".dcm")) {
      g_ptr_array_add(names, g_build_filename(PYDICOM, name, NULL));
    }
  }
  g_ptr_array_sort(names, compare_names);
  phantom_truth(1, 1, &truth);
  phantom_resize(&truth, 64);
  phantom_write_dicom(&truth, "damaged", copy, FALSE, &error);
  g_assert_no_error(error);
  g_ptr_array_add(names, g_strdup(copy));
  for (guint i = 0; i < names->len; i++) {
    char *bytes;
    gsize n;
    if (g_file_get_contents(names->pdata[i], &bytes, &n, NULL)) {
      g_autoptr(GBytes) seed = g_bytes_new_take(bytes, n);
      if (n > 0 && n <= MOST_SEED_BYTES) {
        g_ptr_array_add(seeds, g_steal_pointer(&seed));
      }
    }
  }
  return seeds;
}

/* One to three injuries, half of them near the head, where the structure is. What moves everything
 * behind it is rare: it is nearly always refused. */
static GByteArray *
damage(GRand *draw, GBytes *seed)
{
  GByteArray *bytes = g_byte_array_new();
  const guint n_injuries = (guint)g_rand_int_range(draw, 1, 4);

  g_byte_array_append(bytes, g_bytes_get_data(seed, NULL), (guint)g_bytes_get_size(seed));
  for (guint i = 0; i < n_injuries && bytes->len > 8; i++) {
    const guint reach = g_rand_boolean(draw) ? MIN(bytes->len, 2048) : bytes->len;
    const guint at = (guint)g_rand_int_range(draw, 0, (gint32)reach);
    const guint run = MIN((guint)g_rand_int_range(draw, 1, 9), bytes->len - at);

    switch (g_rand_int_range(draw, 0, 16)) {
    case 0:
      g_byte_array_remove_range(bytes, at, run);
      break;
    case 1:
      g_byte_array_set_size(bytes, at + 1);
      break;
    case 2:
    case 3:
    case 4:
      memset(bytes->data + at, g_rand_boolean(draw) ? 0xff : 0, run);
      break;
    default:
      bytes->data[at] ^= (guint8)(1 << g_rand_int_range(draw, 0, 8));
    }
  }
  return bytes;
}

/* Runs in the child: everything that a viewer does with a file. */
static int
show(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_autoptr(DicomFrame) frame = file ? dicom_file_read_frame(file, 0, &error) : NULL;
  g_autoptr(DicomPicture) picture = frame ? dicom_frame_render(frame, NULL, &error) : NULL;

  if (picture) {
    return error ? EXIT_FAILURE : SHOWN;
  }
  return error && error->domain == DICOM_ERROR && *error->message ? REFUSED : EXIT_FAILURE;
}

static int
show_in_child(const char *path)
{
  pid_t child = fork();
  int status;

  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    const struct rlimit core = {0, 0}, memory = {MEMORY, MEMORY};
    setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow takes terabytes of addresses */
    setrlimit(RLIMIT_AS, &memory);
#else
    (void)memory;
#endif
    alarm(SECONDS);
    _exit(show(path));
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  return status;
}

static void
test_damaged(void)
{
  g_autoptr(GPtrArray) seeds = read_seeds();
  g_autoptr(GRand) draw = g_rand_new_with_seed(2026);
  const guint rounds = test_rounds(400);
  guint n_shown = 0;

  for (guint i = 0; i < rounds; i++) {
    const guint seed = (guint)g_rand_int_range(draw, 0, (gint32)seeds->len);
    g_autoptr(GByteArray) bytes = damage(draw, seeds->pdata[seed]);
    int status;

    g_remove(copy); /* which writing without a rename does not shorten */
    g_assert_true(g_file_set_contents_full(copy, (const char *)bytes->data, bytes->len,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    status = show_in_child(copy);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != SHOWN && WEXITSTATUS(status) != REFUSED)) {
      g_error("round %u, seed file %u: the child ended with status 0x%x", i, seed, status);
    }
    n_shown += WEXITSTATUS(status) == SHOWN;
  }
  g_test_message("%u seeds, %u of %u copies shown", seeds->len, n_shown, rounds);
  /* Both outcomes must occur, else the damage is too harsh or too mild to test anything. */
  g_assert_cmpuint(n_shown, >, rounds / 20);
  g_assert_cmpuint(n_shown, <, rounds);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  folder = g_dir_make_tmp("hilum-fuzz-XXXXXX", NULL);
  g_assert_nonnull(folder);
  copy = g_build_filename(folder, "copy.dcm", NULL);
  g_test_add_func("/dicom/fuzz/damaged", test_damaged);
  status = g_test_run();
  g_remove(copy);
  g_rmdir(folder);
  g_free(copy);
  g_free(folder);
  return status;
}
