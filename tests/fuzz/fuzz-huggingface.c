/* fuzz-huggingface.c - a folder of a Hugging Face checkpoint: configurations, vocabulary, weights.
 *
 * Input: parts of one byte (which file), two bytes of length (little-endian) and so many bytes; a
 * part that says more than there is gets the rest. */
#include "fuzz-model.h"

#include <fcntl.h>

static const char *const names[] = {
    "config.json",
    "model.safetensors",
    "tokenizer.model",
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "model.safetensors.index.json",
    "chat_template.json",
    "clip/config.json",
    "clip/model.safetensors",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
};

static char *folder;

static void
remove_parts(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_unlink(path);
  }
}

static void
remove_folder(void)
{
  g_autofree char *clip = g_build_filename(folder, "clip", NULL);

  remove_parts();
  g_rmdir(clip);
  g_rmdir(folder);
  g_free(folder);
}

/* In memory where there is such a folder: a run writes some hundred thousand of these. */
static void
make_folder(void)
{
  g_autofree char *clip = NULL;

  folder = g_strdup("/dev/shm/hilum-fuzz-XXXXXX");
  if (!g_mkdtemp(folder)) {
    g_free(folder);
    folder = g_dir_make_tmp("hilum-fuzz-XXXXXX", NULL);
  }
  g_assert(folder);
  clip = g_build_filename(folder, "clip", NULL);
  g_assert(g_mkdir(clip, 0700) == 0);
  atexit(remove_folder);
}

static void
write_part(unsigned which, const uint8_t *data, size_t n)
{
  g_autofree char *path = g_build_filename(folder, names[which % G_N_ELEMENTS(names)], NULL);
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  g_assert(fd >= 0);
  fuzz_write(fd, data, n);
  close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  FuzzInput input = {data, n};

  fuzz_start();
  if (!folder) {
    make_folder();
  }
  remove_parts();
  while (input.n > 0) {
    const unsigned which = fuzz_u8(&input);
    const size_t said = fuzz_u16(&input), length = MIN(said, input.n);

    write_part(which, input.data, length);
    input.data += length;
    input.n -= length;
  }
  fuzz_model(folder, NULL);
  return 0;
}
