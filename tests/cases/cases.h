/* cases.h - the broken files of this folder, one test each: FORMAT-WHAT-IS-WRONG/input, and in
 * `expect` the word "opens" or a regular expression that the refusal must match. make.py says how
 * they were made. */
#ifndef HILUM_TESTS_CASES_H
#define HILUM_TESTS_CASES_H

#include <glib.h>
#include <string.h>

/* Reads the file as the program would. NULL: it opens; else why not. g_free(). */
typedef char *(*CaseReader)(const char *path);

typedef struct {
  char *folder;
  CaseReader read;
} Case;

static inline void
case_free(gpointer data)
{
  Case *c = data;

  g_free(c->folder);
  g_free(c);
}

/* A message is one line of text that begins with the file: its rest, NULL when it is not so. */
static inline const char *
case_message_rest(const char *path, const char *message)
{
  if (!g_utf8_validate(message, -1, NULL) || !g_str_has_prefix(message, path)) {
    return NULL;
  }
  for (const char *p = message; *p; p = g_utf8_next_char(p)) {
    if (g_unichar_iscntrl(g_utf8_get_char(p))) {
      return NULL;
    }
  }
  return message + strlen(path);
}

static inline void
case_run(gconstpointer data)
{
  const Case *c = data;
  g_autofree char *path = g_build_filename(c->folder, "input", NULL);
  g_autofree char *expect_path = g_build_filename(c->folder, "expect", NULL);
  g_autofree char *expect = NULL, *message = NULL;
  g_autoptr(GError) error = NULL;
  const char *found;

  g_file_get_contents(expect_path, &expect, NULL, &error);
  g_assert_no_error(error);
  g_strchomp(expect);
  message = c->read(path);
  found = message ? case_message_rest(path, message) : "opens";
  if (!found) {
    g_test_message("\"%s\" is not one line that begins with the file", message);
    g_test_fail();
  } else if (g_str_equal(expect, "opens")
                 ? message != NULL
                 : !g_regex_match_simple(expect, found, G_REGEX_CASELESS, 0)) {
    g_test_message("found \"%s\", expected \"%s\"", found, expect);
    g_test_fail();
  }
}

/* Adds a test for every case whose name begins with FORMAT. */
static inline void
cases_add(const char *format, CaseReader read)
{
  g_autofree char *root = g_test_build_filename(G_TEST_DIST, "cases", NULL);
  g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
  g_autofree char *prefix = g_strconcat(format, "-", NULL);
  const char *name;
  guint n = 0;

  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir))) {
    if (g_str_has_prefix(name, prefix)) {
      Case *c = g_new0(Case, 1);
      g_autofree char *test = g_strdup_printf("/cases/%s/%s", format, name + strlen(prefix));

      c->folder = g_build_filename(root, name, NULL);
      c->read = read;
      g_test_add_data_func_full(test, c, case_run, case_free);
      n++;
    }
  }
  g_assert_cmpuint(n, >, 0);
}

#endif
