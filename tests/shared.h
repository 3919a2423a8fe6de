/* shared.h - the golden numbers and real inputs that live outside the project. */
#ifndef HILUM_TESTS_SHARED_H
#define HILUM_TESTS_SHARED_H

#include <glib.h>

/* Path below $HILUM_SHARED (default ../shared), or NULL after marking the test as skipped, loudly,
 * when it is not there. g_free(). */
static inline char *
shared_path(const char *relative)
{
  const char *root = g_getenv("HILUM_SHARED");
  g_autofree char *beside = g_test_build_filename(G_TEST_DIST, "..", "..", "shared", NULL);
  char *path = g_build_filename(root && *root ? root : beside, relative, NULL);

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_autofree char *why = g_strdup_printf("HILUM_SHARED has no %s", relative);
    g_test_skip(why);
    g_clear_pointer(&path, g_free);
  }
  return path;
}

/* A fixed sample of a fuzzing or fault loop; twenty times as many rounds for tests/run.sh --long. */
static inline guint
test_rounds(guint sample)
{
  return g_getenv("HILUM_TEST_LONG") ? 20 * sample : sample;
}

#endif
