/* standalone.c - runs a fuzzing target without libFuzzer, so that every compiler and every test run
 * feeds it its seeds and a fixed sample of damaged ones.
 *
 *   fuzz-NAME-sample SEED_MAKER [TAP options]   seeds, then FUZZ_ROUNDS damaged copies
 *   fuzz-NAME-sample --replay FILE...           these files, for a debugger
 *
 * The inputs run one after the other in a child; what it died of is named, and the input of that
 * moment is kept. */
#include "fuzz.h"
#include "mutate.h"
#include "shared.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SECONDS 20 /* for one input, under AddressSanitizer on a busy machine */
#define MOST_BYTES (1u << 20)

/* Shared with the child: the input that it works at. */
typedef struct {
  guint32 n, round;
  guint8 data[MOST_BYTES];
} Current;
static Current *current;
static const char *maker;

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
remove_folder(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_remove(path);
  }
  g_rmdir(folder);
}

static GPtrArray *
read_folder(const char *folder)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_ptr_array_add(names, g_build_filename(folder, name, NULL));
  }
  g_ptr_array_sort(names, compare_names); /* the drawn damage must not depend on the disk */
  for (guint i = 0; i < names->len; i++) {
    char *bytes;
    gsize n;

    g_assert_true(g_file_get_contents(names->pdata[i], &bytes, &n, NULL));
    if (n > 0 && n <= MOST_BYTES / 2) {
      g_ptr_array_add(seeds, g_bytes_new_take(bytes, n));
    } else {
      g_free(bytes);
    }
  }
  return seeds;
}

/* Every run makes its seeds anew, in a folder of its own. */
static GPtrArray *
make_seeds(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp("hilum-seeds-XXXXXX", &error);
  const char *argv[] = {maker, FUZZ_TARGET, folder, NULL};
  GPtrArray *seeds;
  int status;

  g_assert_no_error(error);
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error(error);
  g_assert_true(g_spawn_check_wait_status(status, &error));
  seeds = read_folder(folder);
  remove_folder(folder);
  g_assert_cmpuint(seeds->len, >, 0);
  return seeds;
}

static void
feed(guint round, const void *data, gsize n)
{
  /* The target gets a block of exactly N bytes, so that AddressSanitizer sees a read past it. */
  guint8 *copy = g_malloc(MAX(n, 1));

  current->round = round;
  current->n = (guint32)n;
  memcpy(current->data, data, n);
  memcpy(copy, data, n);
  alarm(SECONDS);
  LLVMFuzzerTestOneInput(copy, n);
  alarm(0);
  g_free(copy);
}

static void
limit_child(void)
{
  const struct rlimit core = {0, 0};

  setrlimit(RLIMIT_CORE, &core);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow takes terabytes of addresses */
  const struct rlimit memory = {(rlim_t)2 << 30, (rlim_t)2 << 30};
  setrlimit(RLIMIT_AS, &memory);
#endif
}

/* Feeds ROUNDS inputs in a child; DAMAGED: copies of the seeds, else the seeds themselves. */
static void
run(GPtrArray *seeds, guint rounds, gboolean damaged)
{
  const pid_t child = fork();
  int status;

  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    g_autoptr(GRand) draw = g_rand_new_with_seed(2026);

    limit_child();
    for (guint i = 0; i < rounds; i++) {
      if (damaged) {
        g_autoptr(GByteArray) bytes = mutate(draw, seeds);
        feed(i, bytes->data, MIN(bytes->len, MOST_BYTES));
      } else {
        feed(i, g_bytes_get_data(seeds->pdata[i], NULL), g_bytes_get_size(seeds->pdata[i]));
      }
    }
    exit(EXIT_SUCCESS); /* and not _exit(): leaks are looked for now */
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
    g_autofree char *name = g_strdup_printf("hilum-fuzz-%s-%u", FUZZ_TARGET, current->round);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), name, NULL);

    g_file_set_contents(path, (const char *)current->data, current->n, NULL);
    g_error("input %u of %u: status 0x%x (14 is the alarm after %d s); kept as %s", current->round,
            rounds, status, SECONDS, path);
  }
}

static void
test_seeds(void)
{
  g_autoptr(GPtrArray) seeds = make_seeds();

  g_test_message("%u seeds", seeds->len);
  run(seeds, seeds->len, FALSE);
}

static void
test_damaged(void)
{
  g_autoptr(GPtrArray) seeds = make_seeds();

  run(seeds, test_rounds(FUZZ_ROUNDS), TRUE);
}

static int
replay(char **files)
{
  for (; *files; files++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize n;

    if (!g_file_get_contents(*files, &bytes, &n, &error)) {
      g_printerr("%s\n", error->message);
      return EXIT_FAILURE;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, n);
  }
  return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
  if (argc > 2 && strcmp(argv[1], "--replay") == 0) {
    return replay(argv + 2);
  }
  g_test_init(&argc, &argv, NULL);
  if (argc < 2) {
    g_printerr("usage: %s SEED_MAKER | --replay FILE...\n", argv[0]);
    return 2;
  }
  maker = argv[1];
  current = mmap(NULL, sizeof *current, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert(current != MAP_FAILED);
  g_test_add_func("/fuzz/" FUZZ_TARGET "/seeds", test_seeds);
  g_test_add_func("/fuzz/" FUZZ_TARGET "/damaged", test_damaged);
  return g_test_run();
}
