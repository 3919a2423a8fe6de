/* test-cli-deid.c - `hilum image deid`: the key, the reports, the exit status, nothing half. */
#include <sys/stat.h>

#include "cli-run.h"
#include "shared.h"

#define REPORT_KEYS "file out sop_instance_uid removed replaced kept cleaned blanked unsure error"
#define N_SLICES "4"

static char *folder, *slices, *key;

static char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

static void
set_up(void)
{
  g_auto(CliRun) run = {0};

  folder = g_dir_make_tmp("hilum-deid-XXXXXX", NULL);
  g_assert_nonnull(folder);
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  slices = in_folder("slices");
  key = in_folder("key");
  cli_run(&run, NULL, "phantom", "--out", slices, "--seed", "1", "--size", "32", "--stack",
          N_SLICES, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
}

static guint
count_files(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    n += g_file_test(below, G_FILE_TEST_IS_DIR) ? count_files(below) : 1;
  }
  return n;
}

static void
remove_tree(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    if (g_file_test(below, G_FILE_TEST_IS_DIR)) {
      remove_tree(below);
    } else {
      g_unlink(below);
    }
  }
  g_rmdir(path);
}

static JsonObject *
object_of(GPtrArray *lines, guint index)
{
  g_assert_cmpuint(index, <, lines->len);
  return json_node_get_object(lines->pdata[index]);
}

static void
test_series(void)
{
  g_auto(CliRun) run = {0}, again = {0};
  g_autofree char *out = in_folder("series");
  g_autofree char *first = NULL;

  cli_run(&run, NULL, "image", "deid", "--json", "--key", key, "--out", out, slices, NULL);
  g_test_message("%s", run.err);
  g_autoptr(GPtrArray) lines = cli_json_lines(run.out);
  guint copied = 0;
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *object = object_of(lines, i);
    cli_assert_keys(object, REPORT_KEYS);
    if (json_object_get_null_member(object, "out")) {
      continue;
    }
    const char *path = json_object_get_string_member(object, "out");
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_true(g_str_has_prefix(path, out));
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    /* One study and one series stay one. */
    g_assert_true(!first || strcmp(first, parent) == 0);
    g_free(first);
    first = g_steal_pointer(&parent);
    copied++;
  }
  g_assert_cmpuint(copied, ==, 4);
  g_assert_cmpuint(count_files(out), ==, 4);
  /* Whatever else lies beside the slices is refused, and said so. */
  g_assert_cmpint(run.status, ==, lines->len > copied ? 1 : 0);
  /* A second run finds every name taken. */
  cli_run(&again, NULL, "image", "deid", "--key", key, "--out", out, slices, NULL);
  g_assert_cmpint(again.status, ==, 1);
  g_assert_nonnull(strstr(again.err, "already"));
  g_assert_cmpuint(count_files(out), ==, 4);
}

static char *
one_slice(void)
{
  g_autoptr(GDir) dir = g_dir_open(slices, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    if (g_str_has_suffix(name, ".dcm")) {
      return g_build_filename(slices, name, NULL);
    }
  }
  g_assert_not_reached();
}

static void
test_key(void)
{
  g_autofree char *slice = one_slice(), *own = in_folder("hilum/deid.key");
  g_autofree char *a = in_folder("a"), *b = in_folder("b"), *c = in_folder("c");
  g_autofree char *other = in_folder("other-key");
  g_auto(CliRun) first = {0}, second = {0}, third = {0};
  struct stat st;

  cli_run(&first, NULL, "image", "deid", "--json", "--out", a, slice, NULL);
  g_test_message("%s", first.err);
  g_assert_cmpint(first.status, ==, 0);
  g_assert_cmpint(stat(own, &st), ==, 0);
  g_assert_cmpint(st.st_size, ==, 32);
  g_assert_cmpint(st.st_mode & 0777, ==, 0600);
  cli_run(&second, NULL, "image", "deid", "--json", "--out", b, slice, NULL);
  cli_run(&third, NULL, "image", "deid", "--json", "--key", other, "--out", c, slice, NULL);
  g_autoptr(GPtrArray) one = cli_json_lines(first.out), two = cli_json_lines(second.out);
  g_autoptr(GPtrArray) three = cli_json_lines(third.out);
  const char *uid = json_object_get_string_member(object_of(one, 0), "sop_instance_uid");
  g_assert_cmpstr(json_object_get_string_member(object_of(two, 0), "sop_instance_uid"), ==, uid);
  g_assert_cmpstr(json_object_get_string_member(object_of(three, 0), "sop_instance_uid"), !=, uid);
}

static void
test_bad_key(void)
{
  g_autofree char *slice = one_slice(), *bad = in_folder("bad-key"), *out = in_folder("bad");
  g_auto(CliRun) run = {0}, open = {0};

  g_assert_true(g_file_set_contents(bad, "short", -1, NULL));
  cli_run(&run, NULL, "image", "deid", "--key", bad, "--out", out, slice, NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, "32"));
  g_assert_cmpuint(count_files(out), ==, 0);
  /* A key that everybody can read is none either. */
  g_assert_true(g_file_set_contents(bad, "0123456789abcdef0123456789abcdef", 32, NULL));
  g_assert_cmpint(g_chmod(bad, 0644), ==, 0);
  cli_run(&open, NULL, "image", "deid", "--key", bad, "--out", out, slice, NULL);
  g_assert_cmpint(open.status, ==, 1);
  g_assert_nonnull(strstr(open.err, "0600"));
  g_assert_cmpuint(count_files(out), ==, 0);
}

static void
test_misuse(void)
{
  static const char *const wrong[][8] = {
      {"image", "deid"},
      {"image", "deid", "x.dcm"},
      {"image", "deid", "--out", "o"},
      {"image", "deid", "--out", "o", "--blank", "1,2,3", "x.dcm"},
      {"image", "deid", "--out", "o", "--blank", "1,2,0,4", "x.dcm"},
      {"image", "deid", "--out", "o", "--blank", "1,2,3,-4", "x.dcm"},
      {"image", "deid", "--frobnicate"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
  }
}

static void
test_blank(void)
{
  g_autofree char *slice = one_slice(), *out = in_folder("blank"), *away = in_folder("away");
  g_auto(CliRun) run = {0}, outside = {0}, info = {0};

  cli_run(&run, NULL, "image", "deid", "--json", "--key", key, "--out", out, "--blank", "0,0,32,32",
          slice, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
  g_autoptr(GPtrArray) lines = cli_json_lines(run.out);
  JsonObject *object = object_of(lines, 0);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "blanked")), ==, 1);
  cli_run(&info, NULL, "image", "info", "--pixels", "--json",
          json_object_get_string_member(object, "out"), NULL);
  g_autoptr(GPtrArray) facts = cli_json_lines(info.out);
  JsonObject *fact = object_of(facts, 0);
  g_assert_true(json_object_get_double_member(fact, "pix_min") ==
                json_object_get_double_member(fact, "pix_max"));
  cli_run(&outside, NULL, "image", "deid", "--key", key, "--out", away, "--blank", "32,0,1,1",
          slice, NULL);
  g_assert_cmpint(outside.status, ==, 1);
  g_assert_cmpuint(count_files(away), ==, 0);
}

static void
test_full_disk(void)
{
  g_autofree char *slice = one_slice(), *out = in_folder("full");
  g_auto(CliRun) run = {0};

  cli_run_limited(&run, 1024, "image", "deid", "--key", key, "--out", out, slice, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, g_strerror(EFBIG)));
  g_assert_cmpuint(count_files(out), ==, 0);
}

/* Where copies would be among what is read, nothing is made. */
static void
test_apart(void)
{
  g_autofree char *below = g_build_filename(slices, "copies", "here", NULL);
  const char *const places[] = {slices, below, ""};
  guint before = count_files(slices);

  for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
    g_auto(CliRun) run = {0};

    cli_run(&run, NULL, "image", "deid", "--key", key, "--out", places[i], slices, NULL);
    g_test_message("%s", run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_nonnull(strstr(run.err, "--out"));
    g_assert_cmpuint(count_files(slices), ==, before);
    g_assert_false(g_file_test(below, G_FILE_TEST_EXISTS));
  }
}

/* An ultrasound screen with an invented name on it, outside of its region and inside. */
static void
test_ultrasound(void)
{
  g_autofree char *path = shared_path("corpus/dicom/colour/US_ybr-full_rle_acuson.dcm");
  g_autofree char *plain = in_folder("us-plain"), *clean = in_folder("us-clean");
  g_autofree char *sure = in_folder("us-looked");
  g_auto(CliRun) unsure = {0}, cleaned = {0}, looked = {0};

  if (!path) {
    return;
  }
  cli_run(&unsure, NULL, "image", "deid", "--key", key, "--out", plain, path, NULL);
  g_assert_cmpint(unsure.status, ==, 1);
  g_assert_nonnull(strstr(unsure.out, "unsure"));
  g_assert_cmpuint(count_files(plain), ==, 1);
  cli_run(&cleaned, NULL, "image", "deid", "--clean-pixels", "--key", key, "--out", clean, path,
          NULL);
  g_test_message("%s%s", cleaned.out, cleaned.err);
  /* The name stands inside the region too, and no attribute says so. */
  g_assert_cmpint(cleaned.status, ==, 1);
  g_assert_nonnull(strstr(cleaned.out, "blanked"));
  cli_run(&looked, NULL, "image", "deid", "--clean-pixels", "--blank", "110,370,45,20", "--key",
          key, "--out", sure, path, NULL);
  g_assert_cmpint(looked.status, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  set_up();
  g_test_add_func("/cli/deid/series", test_series);
  g_test_add_func("/cli/deid/key", test_key);
  g_test_add_func("/cli/deid/bad-key", test_bad_key);
  g_test_add_func("/cli/deid/misuse", test_misuse);
  g_test_add_func("/cli/deid/blank", test_blank);
  g_test_add_func("/cli/deid/full-disk", test_full_disk);
  g_test_add_func("/cli/deid/apart", test_apart);
  g_test_add_func("/cli/deid/ultrasound", test_ultrasound);
  int status = g_test_run();
  remove_tree(folder);
  g_free(folder);
  g_free(slices);
  g_free(key);
  return status;
}
