/* fuzz-clip.c - a folder of a CLIP pair: configurations, vocabularies, headers of weights.
 *
 * Input: parts of one byte (which file), two bytes of length (little-endian) and so many bytes; a
 * part that says more than there is gets the rest. Weights are always the same bytes: of them the
 * header alone is in the input. */
#include "fuzz.h"

#include "model_clip.h"

#include <fcntl.h>
#include <string.h>

#define WEIGHTS (192u << 10) /* what the seeds' tensors need, and some */
#define MOST_PIXELS (64u * 64u)

static const char *const names[] = {
    "config.json",
    "open_clip_config.json",
    "model.safetensors",
    "open_clip_model.safetensors",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
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
  remove_parts();
  g_rmdir(folder);
  g_free(folder);
}

static void
make_folder(void)
{
  folder = g_strdup("/dev/shm/hilum-fuzz-XXXXXX");
  if (!g_mkdtemp(folder)) {
    g_free(folder);
    folder = g_dir_make_tmp("hilum-fuzz-XXXXXX", NULL);
  }
  g_assert(folder);
  atexit(remove_folder);
}

static void
write_part(unsigned which, const uint8_t *data, size_t n)
{
  const char *name = names[which % G_N_ELEMENTS(names)];
  g_autofree char *path = g_build_filename(folder, name, NULL);
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool weights = g_str_has_suffix(name, ".safetensors");
  const guint64 length = GUINT64_TO_LE((guint64)n);

  g_assert(fd >= 0);
  if (weights) {
    fuzz_write(fd, (const uint8_t *)&length, sizeof length);
  }
  fuzz_write(fd, data, n);
  if (weights) {
    g_autofree uint8_t *bytes = g_malloc(WEIGHTS);
    for (size_t i = 0; i < WEIGHTS; i++) {
      bytes[i] = i % 2 ? (uint8_t)(0x3C + (i / 7 % 2) * 0x80) : (uint8_t)(i * 31);
    }
    fuzz_write(fd, bytes, WEIGHTS);
  }
  close(fd);
}

static void
use(const ModelClip *clip)
{
  static const char text[] = "A chest X-ray, the patient's 12th \xc3\xbc\xff";
  static const uint8_t grey[4] = {0, 80, 160, 255};
  const ModelImage picture = {2, 2, 1, grey};
  ModelError err = {0};
  ModelClipInfo info;
  ModelIds ids = {0};
  g_autofree float *out = NULL;

  model_clip_info(clip, &info);
  g_assert(info.width > 0);
  out = g_new(float, info.width);
  g_assert(model_clip_tokenize(clip, text, strlen(text), &ids, &err));
  g_assert(ids.n >= 2 && ids.n <= info.context);
  for (size_t i = 0; i < ids.n; i++) {
    g_assert(ids.ids[i] >= 0 && (uint32_t)ids.ids[i] < info.vocab);
  }
  model_ids_clear(&ids);
  if (!model_clip_text(clip, text, strlen(text), out, &err)) {
    fuzz_check_message(err.message);
  }
  if (info.image_size * info.image_size <= MOST_PIXELS &&
      !model_clip_picture(clip, &picture, out, &err)) {
    fuzz_check_message(err.message);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  const ModelClipOptions options = {.n_threads = 1};
  FuzzInput input = {data, n};
  ModelError err = {0};
  ModelClip *clip;

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
  clip = model_clip_open(folder, &options, &err);
  if (clip) {
    g_assert(model_clip_is(folder));
    use(clip);
    model_clip_free(clip);
  } else {
    fuzz_check_message(err.message);
  }
  return 0;
}
