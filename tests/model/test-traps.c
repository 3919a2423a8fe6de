/* test-traps.c - what is easily got wrong about LLaVA-Med, one decision after the other (MODEL.md's
 * table), on models that are made here. */
#include "engine/engine.h"
#include "image/preprocess.h"
#include "prompt/prompt.h"
#include "run.h"

#include "model/checkpoint-fixture.h"

#include <math.h>

/* ---- engines -------------------------------------------------------------------------------- */

static ModelEngine *
open_engine(const char *path, const char *mmproj, const char *tower)
{
  const ModelEngineOptions options = {.mmproj = mmproj, .vision_tower = tower, .n_threads = 1};
  ModelError err = {0};
  ModelEngine *engine = model_engine_open(path, &options, &err);

  if (!engine) {
    g_error("%s", err.message);
  }
  return engine;
}

static const guint8 pixels[5 * 3 * 3] = {10, 200, 30, 90, 50, 70, 0,   255, 128, 33, 44, 55, 66, 77,
                                         88, 99,  1,  2,  3,  4,  250, 240, 230, 9,  8,  7,  6};
static const ModelImage picture = {5, 3, 3, pixels};

/* PROMPT with the picture where it says "<image>". */
static ModelTrace
run_trace(ModelEngine *engine, const char *prompt)
{
  ModelTrace trace;
  ModelError err = {0};

  if (!model_trace(engine, strstr(prompt, "<image>") ? &picture : NULL, prompt, 4, &trace, &err)) {
    g_error("%s", err.message);
  }
  return trace;
}

static double
difference(const float *a, const float *b, gsize n)
{
  double most = 0;

  for (gsize i = 0; i < n; i++) {
    g_assert_true(isfinite(a[i]) && isfinite(b[i]));
    most = MAX(most, fabs((double)a[i] - (double)b[i]));
  }
  return most;
}

/* Rows of q and k are in another order in a GGUF and its rotation pairs neighbours; together the
 * two make no difference, and one without the other does. Tied tables stay tied. */
static void
test_rope_order(void)
{
  static const TinyOptions cases[] = {
      {.layout = LAYOUT_ORIGINAL},
      {.layout = LAYOUT_ORIGINAL, .text_only = TRUE, .tied = TRUE},
      {.layout = LAYOUT_CONVERTED, .extra_rows = 5},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *prompt = cases[i].text_only ? "a b c d e f" : "<image>a b c d e f";
    const ModelConvertOptions convert = {.type = "f32"};
    g_autofree char *folder = tiny_folder(&cases[i]);
    g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
    ModelEngine *half = open_engine(folder, NULL, NULL), *adjacent, *wrong;
    ModelTrace a = run_trace(half, prompt), b, c;
    ModelCheckpoint checkpoint;

    g_assert_false(half->checkpoint.config.decoder.rope_adjacent);
    g_assert_true(model_convert(folder, NULL, &convert, out, NULL, NULL, NULL, NULL));
    adjacent = open_engine(out, NULL, NULL);
    g_assert_true(adjacent->checkpoint.config.decoder.rope_adjacent);
    g_assert_cmpint(adjacent->checkpoint.weights.tied, ==, cases[i].tied);
    b = run_trace(adjacent, prompt);
    g_assert_cmpuint(a.vocab, ==, TINY_PIECES);
    g_assert_cmpuint(b.vocab, ==, TINY_PIECES);
    /* Sums of q and k in another order: float32, values of about 10. */
    g_assert_cmpfloat(difference(a.logits, b.logits, a.vocab), <=, 1e-4);
    open_checkpoint(folder, NULL, &checkpoint);
    checkpoint.config.decoder.rope_adjacent = true;
    wrong = model_engine_new(&checkpoint, NULL, MODEL_ARENA_BYTES, NULL);
    c = run_trace(wrong, prompt);
    g_assert_cmpfloat(difference(a.logits, c.logits, a.vocab), >, 1e-2);
    model_trace_clear(&a);
    model_trace_clear(&b);
    model_trace_clear(&c);
    model_engine_free(half);
    model_engine_free(adjacent);
    model_engine_free(wrong);
    remove_tree(folder);
  }
}

/* ---- Hugging Face folders ------------------------------------------------------------------- */

/* What config.json leaves out, says in another way, or says of other models. */
typedef struct {
  Layout layout;
  const char *from, *to;
  struct {
    guint blocks_run;
    float theta, rms_eps, vision_eps;
    gboolean gelu_erf;
    ModelAspect aspect;
  } expect; /* 0: as without the edit */
} ConfigCase;

static void
check_config(const ConfigCase *expected)
{
  const TinyOptions o = {.layout = expected->layout};
  g_autofree char *folder = tiny_folder(&o);
  ModelCheckpoint c;

  g_test_message("%s", expected->to);
  edit_config(folder, expected->from, expected->to);
  open_checkpoint(folder, NULL, &c);
#define WANTED(field, otherwise) (expected->expect.field ? expected->expect.field : (otherwise))
  g_assert_cmpfloat(c.config.decoder.theta, ==, WANTED(theta, 1e4f));
  g_assert_cmpfloat(c.config.decoder.eps, ==, WANTED(rms_eps, 1e-6f));
  g_assert_cmpuint(c.config.vision.blocks_run, ==, WANTED(blocks_run, 1));
  g_assert_cmpfloat(c.config.vision.eps, ==, WANTED(vision_eps, 1e-5f));
  g_assert_cmpint(c.config.vision.gelu_erf, ==, expected->expect.gelu_erf);
  g_assert_cmpint(c.config.aspect, ==, expected->expect.aspect);
  g_assert_cmpfloat(c.config.vision.mean[0], ==, 0.48145466f);
  g_assert_cmpfloat(c.config.vision.mean[1], ==, 0.4578275f);
  g_assert_cmpfloat(c.config.vision.mean[2], ==, 0.40821073f);
  g_assert_cmpfloat(c.config.vision.std[0], ==, 0.26862954f);
  g_assert_cmpfloat(c.config.vision.std[1], ==, 0.26130258f);
  g_assert_cmpfloat(c.config.vision.std[2], ==, 0.27577711f);
#undef WANTED
  model_checkpoint_close(&c);
  remove_tree(folder);
}

static void
test_configs(void)
{
  static const ConfigCase cases[] = {
      {.from = "\"rope_theta\":10000.0",
       .to = "\"rope_theta\":1000000.0",
       .expect = {.theta = 1e6f}},
      {.layout = LAYOUT_NEWEST,
       .from = "\"rope_theta\":10000.0",
       .to = "\"rope_parameters\":{\"rope_theta\":1000000.0,\"rope_type\":\"default\"}",
       .expect = {.theta = 1e6f}},
      {.from = "\"rms_norm_eps\":1e-06",
       .to = "\"rms_norm_eps\":1e-05",
       .expect = {.rms_eps = 1e-5f}},
      /* The hidden state of the tower: -2 unless it is said, and counted from either end. */
      {.from = "\"mm_vision_tower\":", .to = "\"mm_vision_select_layer\":-2,\"mm_vision_tower\":"},
      {.from = "\"mm_vision_tower\":",
       .to = "\"mm_vision_select_layer\":-1,\"mm_vision_tower\":",
       .expect = {.blocks_run = 2}},
      {.from = "\"mm_vision_tower\":", .to = "\"mm_vision_select_layer\":1,\"mm_vision_tower\":"},
      {.layout = LAYOUT_CONVERTED,
       .from = "\"vision_feature_layer\":-2",
       .to = "\"vision_feature_layer\":-1",
       .expect = {.blocks_run = 2}},
      /* CLIP's epsilon and activation where nothing is said. */
      {.from = ",\"layer_norm_eps\":1e-05", .to = ""},
      {.from = "\"layer_norm_eps\":1e-05",
       .to = "\"layer_norm_eps\":1e-06",
       .expect = {.vision_eps = 1e-6f}},
      {.from = "\"hidden_act\":\"quick_gelu\",", .to = ""},
      {.from = "\"hidden_act\":\"quick_gelu\"",
       .to = "\"hidden_act\":\"gelu\"",
       .expect = {.gelu_erf = TRUE}},
      {.from = "\"mm_vision_tower\":",
       .to = "\"image_aspect_ratio\":\"square\",\"mm_vision_tower\":",
       .expect = {.aspect = MODEL_ASPECT_SQUARE}},
      {.from = "\"model_type\":\"llava_mistral\"",
       .to = "\"model_type\":\"llava_llama\"",
       .expect = {.aspect = MODEL_ASPECT_SQUARE}},
      {.from = "\"model_type\":\"llava_mistral\"",
       .to = "\"model_type\":\"llava_llama\",\"image_aspect_ratio\":\"pad\""},
      /* Keys of v1.5's published configuration that mean nothing here. */
      {.from = "\"mm_vision_tower\":",
       .to = "\"feature_outs\":\"encoder+decoder\",\"img_size\":640,\"segtok_posembed\":"
             "\"sincos\",\"vision_backbone\":\"convnextlarge\",\"proj_vis_to_txt_tokens\":false,"
             "\"prompt_segtok_w_instruct\":false,\"mm_vision_tower\":"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    check_config(&cases[i]);
  }
}

/* config.json of v1.0 says 0, 1 and -1; its tokenizer begins and ends with "</s>". */
static void
test_special_ids(void)
{
  const TinyOptions v10 = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  const TinyOptions v15 = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *with = tiny_folder(&v10), *without = tiny_folder(&v10);
  g_autofree char *mistral = tiny_folder(&v15);
  g_autofree char *map = g_build_filename(without, "special_tokens_map.json", NULL);
  g_autofree char *mistral_map = g_build_filename(mistral, "special_tokens_map.json", NULL);
  const char *const folders[] = {with, without};
  ModelCheckpoint c;

  g_remove(map);
  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
    ModelEngine *engine = open_engine(folders[i], NULL, NULL);
    ModelIds ids = {0};
    g_assert_cmpint(engine->checkpoint.config.bos, ==, 2);
    g_assert_cmpint(engine->checkpoint.config.eos, ==, 2);
    g_assert_cmpint(engine->checkpoint.config.pad, ==, i == 0 ? 16 : -1);
    g_assert_true(model_tokenize_prompt(engine, "a", 1, &ids, NULL));
    g_assert_cmpint(ids.ids[0], ==, 2);
    model_ids_clear(&ids);
    model_engine_free(engine);
  }
  /* Without any other file config.json speaks for v1.5. */
  g_remove(mistral_map);
  edit_config(mistral, "\"bos_token_id\":0,\"eos_token_id\":1",
              "\"bos_token_id\":1,\"eos_token_id\":[2]");
  open_checkpoint(mistral, NULL, &c);
  g_assert_cmpint(c.config.bos, ==, 1);
  g_assert_cmpint(c.config.eos, ==, 2);
  g_assert_cmpint(c.config.pad, ==, -1);
  model_checkpoint_close(&c);
  remove_tree(with);
  remove_tree(without);
  remove_tree(mistral);
}

/* "clip" beside a checkpoint's own tower, with another class embedding: Trap 1. */
static void
test_own_tower(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&o), *bytes = NULL;
  g_autofree char *clip = g_build_filename(folder, "clip", NULL);
  g_autofree char *path = g_build_filename(clip, "model.safetensors", NULL);
  ModelEngine *own, *alone, *stock;
  ModelTrace a, b, c;
  guint64 header;
  gsize n;

  alone = open_engine(folder, NULL, NULL);
  tiny_clip(folder);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  memcpy(&header, bytes, sizeof header);
  for (guint i = 0; i < TINY_VISION; i++) {
    const float value = 3 - (float)i;
    memcpy(bytes + 8 + header + 4 * i, &value, sizeof value);
  }
  write_file(clip, "model.safetensors", bytes, n);
  own = open_engine(folder, NULL, NULL);
  stock = open_engine(folder, NULL, clip);
  g_assert_cmpstr(model_engine_info(own)->tower_origin, ==, "checkpoint");
  g_assert_cmpstr(model_engine_info(stock)->tower_origin, ==, "stock");
  a = run_trace(alone, "<image>a");
  b = run_trace(own, "<image>a");
  c = run_trace(stock, "<image>a");
  g_assert_cmpfloat(difference(a.logits, b.logits, a.vocab), ==, 0);
  g_assert_cmpfloat(difference(a.vision, c.vision, 4 * TINY_VISION), >, 1e-2);
  model_trace_clear(&a);
  model_trace_clear(&b);
  model_trace_clear(&c);
  model_engine_free(alone);
  model_engine_free(own);
  model_engine_free(stock);
  remove_tree(folder);
}

/* Hidden state -2: neither the last block nor post_layernorm is computed. */
static void
test_last_block(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&o);
  ModelEngine *whole = open_engine(folder, NULL, NULL), *broken;
  ModelTrace a = run_trace(whole, "<image>a"), b;
  float poison[TINY_VISION * TINY_VISION_FFN];
  ModelCheckpoint c;
  ModelTensor *last;

  for (guint i = 0; i < G_N_ELEMENTS(poison); i++) {
    poison[i] = NAN;
  }
  open_checkpoint(folder, NULL, &c);
  last = (ModelTensor *)&c.weights.blocks[TINY_BLOCKS - 1];
  for (gsize i = 0; i < sizeof *c.weights.blocks / sizeof *last; i++) {
    last[i].data = (const guint8 *)poison;
  }
  c.weights.post_ln_w.data = c.weights.post_ln_b.data = (const guint8 *)poison;
  broken = model_engine_new(&c, NULL, MODEL_ARENA_BYTES, NULL);
  b = run_trace(broken, "<image>a");
  g_assert_cmpuint(b.n_patches, ==, 4); /* without the class token */
  g_assert_cmpfloat(difference(a.vision, b.vision, 4 * TINY_VISION), ==, 0);
  model_trace_clear(&a);
  model_trace_clear(&b);
  model_engine_free(whole);
  model_engine_free(broken);
  remove_tree(folder);
}

/* The conversion's "<image>" and "<pad>" and the rows that fill its tables up (32064 of them) are
 * no tokens: no text becomes them, and they are never sampled. */
static void
test_placeholders(void)
{
  static const char added[] = "{\"<image>\":16,\"<pad>\":17}";
  const TinyOptions o = {.layout = LAYOUT_CONVERTED, .extra_rows = 8};
  g_autofree char *folder = tiny_folder(&o);
  ModelEngine *engine;
  ModelIds ids = {0};

  write_file(folder, "added_tokens.json", added, sizeof added - 1);
  engine = open_engine(folder, NULL, NULL);
  g_assert_cmpuint(engine->checkpoint.vocabulary.n_added, ==, 0);
  g_assert_cmpuint(model_engine_info(engine)->vocab, ==, TINY_PIECES);
  g_assert_cmpuint(engine->n_usable, ==, TINY_PIECES);
  g_assert_true(model_tokenize_prompt(engine, "a<image>b<pad>", 14, &ids, NULL));
  g_assert_cmpint(ids.ids[0], ==, 1);
  g_assert_cmpint(ids.ids[3], ==, MODEL_IMAGE_ID);
  for (gsize i = 0; i < ids.n; i++) {
    g_assert_cmpint(ids.ids[i], <, TINY_PIECES);
  }
  model_ids_clear(&ids);
  model_engine_free(engine);
  remove_tree(folder);
}

/* ---- pictures ------------------------------------------------------------------------------- */

/* int(255 * mean), 114 for grey, at half of the difference rounded down; or the borders cut off.
 * Sizes are such that nothing is resized. */
static void
test_squares(void)
{
  static const guint8 grey[3] = {1, 2, 3}, color[6] = {1, 2, 3, 4, 5, 6};
  const ModelVisionConfig config = {.image_size = 2,
                                    .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                    .std = {0.26862954f, 0.26130258f, 0.27577711f}},
                          three = {.image_size = 3, .mean = {0.48145466f, 0.4578275f, 0.40821073f}};
  static const guint8 kept[4] = {1, 2, 4, 5}, wide[6] = {1, 2, 3, 4, 5, 6};
  static const guint8 padded[12] = {1, 2, 3, 4, 5, 6, 122, 116, 104, 122, 116, 104};
  guint8 out[27];
  float normalised[12];

  /* d = 1: above 0, below 1. */
  g_assert_true(
      model_image_square(&config, MODEL_ASPECT_PAD, &(ModelImage){2, 1, 3, color}, out, NULL));
  g_assert_cmpmem(out, 12, padded, 12);
  model_image_normalise(&config, out, normalised);
  g_assert_cmpfloat(fabs(normalised[0] - (1 / 255.0 - 0.48145466) / 0.26862954), <=, 1e-6);
  g_assert_cmpfloat(fabs(normalised[1] - (4 / 255.0 - 0.48145466) / 0.26862954), <=, 1e-6);
  g_assert_cmpfloat(fabs(normalised[4 + 2] - (116 / 255.0 - 0.4578275) / 0.26130258), <=, 1e-6);
  g_assert_cmpfloat(fabs(normalised[8] - (3 / 255.0 - 0.40821073) / 0.27577711), <=, 1e-6);
  /* d = 2 beside a column of grey. */
  g_assert_true(
      model_image_square(&three, MODEL_ASPECT_PAD, &(ModelImage){1, 3, 1, grey}, out, NULL));
  for (guint i = 0; i < 9; i++) {
    for (guint k = 0; k < 3; k++) {
      g_assert_cmpuint(out[3 * i + k], ==, i % 3 == 1 ? grey[i / 3] : 114);
    }
  }
  /* v1.0 cuts what stands out: of three columns two are left, from (3 - 2) / 2 on. */
  g_assert_true(
      model_image_square(&config, MODEL_ASPECT_SQUARE, &(ModelImage){3, 2, 1, wide}, out, NULL));
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpuint(out[3 * i], ==, kept[i]);
  }
}

/* ---- prompts and sessions ------------------------------------------------------------------- */

static void
assert_renders(const char *name, const char *const *turns, gsize n, gboolean open,
               const char *expected)
{
  char *text = model_prompt_render(name, turns, n, open);

  g_assert_cmpstr(text, ==, expected);
  free(text);
}

/* The texts of the published programs: where Microsoft's v1.5 differs from LLaVA, and v1.0's
 * sentences that were joined without spaces. */
static void
test_templates(void)
{
#define S1                                                                                         \
  "A chat between a curious user and an artificial intelligence assistant. The assistant gives "   \
  "helpful, detailed, and polite answers to the user's questions."
#define S2                                                                                         \
  "A chat between a curious human and an artificial intelligence assistant. The assistant gives "  \
  "helpful, detailed, and polite answers to the human's questions."
#define HI "###Human: Hi!###Assistant: Hi there!  How can I help you today?\n"
  static const char *const first[] = {"<image>\nQ1", "A1", "Q2"}, *const last[] = {"Q1\n<image>"};

  assert_renders("mistral_instruct", first, 3, TRUE,
                 "[INST] <image>\nQ1 [/INST] A1 </s>[INST] Q2 [/INST]");
  assert_renders("vicuna_v1", first, 3, TRUE,
                 S1 " USER: <image>\nQ1 ASSISTANT: A1</s>USER: Q2 ASSISTANT:");
  assert_renders("vicuna_v1_med15", first, 3, TRUE,
                 S1 " USER: <image>\nQ1 ASSISTANT: A1</s> USER: Q2 ASSISTANT:");
  assert_renders("llava_v1", first, 3, TRUE,
                 S2 " USER: <image>\nQ1 ASSISTANT: A1</s> USER: Q2 ASSISTANT:");
  assert_renders("llava_v0", first, 1, TRUE, S2 "###Human: <image>\nQ1###Assistant:");
  /* v1.0's evaluation ends behind "###"; a session goes on to the assistant's mark. */
  assert_renders("simple", last, 1, FALSE, S2 HI "###Human: Q1\n<image>###");
  assert_renders("simple", last, 1, TRUE, S2 HI "###Human: Q1\n<image>###Assistant:");
  assert_renders(
      "multimodal", last, 1, TRUE,
      "You are LLaVA-Med, a large language and vision assistant trained by a group of researchers "
      "at Microsoft, based on the general domain LLaVA architecture.You are able to understand the "
      "visual content that the user provides, and assist the user with a variety of medical and "
      "clinical tasks using natural language.Follow the instructions carefully and explain your "
      "answers in detail." HI "###Human: Q1\n<image>###Assistant:");
#undef S1
#undef S2
#undef HI
}

/* The instructions are the released data's, letter for letter: SHA-256 of the lists, worked out
 * from the data, the items joined by newlines. */
static void
test_instructions(void)
{
  static const struct {
    const char *list, *sha256;
  } lists[] = {{"brief", "baaf03c320f27dc4bcbfa1fc4d6bb260fcda2b4ce44cdb03abb32a0941ad0c3b"},
               {"detailed", "7c871210fd915f8ce0b19b1b7e78a7617a99b926e0f145a94eeddd0f0cd1e562"}};

  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    g_autoptr(GString) text = g_string_new(NULL);
    char hex[65];
    for (guint k = 0; model_prompt_instruction_at(lists[i].list, k); k++) {
      g_string_append_printf(text, "%s%s", k ? "\n" : "",
                             model_prompt_instruction_at(lists[i].list, k));
    }
    model_sha256(text->str, text->len, hex);
    g_assert_cmpstr(hex, ==, lists[i].sha256);
  }
}

/* A picture's rows count against the context, and so does one position for an answer. Where the
 * picture stands: in front of the question in v1.5, written out behind it in v1.0. */
static void
test_picture_positions(void)
{
  static const TinyOptions cases[] = {{.layout = LAYOUT_ORIGINAL},
                                      {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const gboolean v10 = cases[i].v10;
    const ModelSampling sampling = {.top_p = 1, .max_tokens = 1};
    g_autofree char *folder = tiny_folder(&cases[i]), *text = NULL, *says = NULL;
    const char *const turns[] = {v10 ? "a b\n<image>" : "<image>\na b"};
    ModelEngine *engine = open_engine(folder, NULL, NULL);
    ModelSession *session = model_session_new(engine, NULL, NULL);
    char *prompt = model_prompt_render(v10 ? "multimodal" : "mistral_instruct", turns, 1, TRUE);
    ModelIds ids = {0};
    ModelAnswer answer;
    ModelError err = {0};
    guint needed;

    g_assert_true(model_tokenize_prompt(engine, prompt, strlen(prompt), &ids, NULL));
    g_assert_true(model_session_ask(session, &picture, "a b", &sampling, NULL, &answer, NULL));
    g_assert_cmpmem(answer.prompt.ids, answer.prompt.n * sizeof(int32_t), ids.ids,
                    ids.n * sizeof(int32_t));
    g_assert_cmpint(ids.ids[0], ==, v10 ? 2 : 1);
    needed = answer.timing.prompt_tokens + 1;
    g_assert_cmpuint(needed, ==, ids.n + (v10 ? 0 : 3) + 1);
    model_answer_clear(&answer);
    model_session_free(session);

    session = model_session_new(engine, &(ModelSessionOptions){needed - 1}, NULL);
    g_assert_false(model_session_ask(session, &picture, "a b", &sampling, NULL, &answer, &err));
    says = g_strdup_printf("*needs %u positions*the context has %u", needed, needed - 1);
    assert_message(&err, MODEL_ERROR_CONTEXT, says);
    model_session_free(session);
    session = model_session_new(engine, &(ModelSessionOptions){needed}, NULL);
    g_assert_true(model_session_ask(session, &picture, "a b", &sampling, NULL, &answer, NULL));
    model_answer_clear(&answer);
    model_session_free(session);
    free(prompt);
    model_ids_clear(&ids);
    model_engine_free(engine);
    remove_tree(folder);
  }
}

/* ---- training ------------------------------------------------------------------------------- */

static void
test_training_defaults(void)
{
  static const struct {
    unsigned parts;
    double lr, epochs;
  } stages[] = {{TRAIN_PROJECTOR, 2e-3, 1},
                {TRAIN_PROJECTOR | TRAIN_LLM, 2e-5, 3},
                {TRAIN_VISION | TRAIN_PROJECTOR | TRAIN_LLM, 2e-5, 3}};
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&o);
  TrainOptions options;

  train_options_init(&options);
  g_assert_cmpuint(options.parts, ==, TRAIN_PROJECTOR | TRAIN_LLM);
  g_assert_cmpstr(options.mask, ==, "llama_2");
  g_assert_cmpuint(options.batch * options.accumulate, ==, 128);
  g_assert_cmpuint(options.max_length, ==, 2048);
  g_assert_cmpfloat(options.weight_decay, ==, 0);
  g_assert_cmpfloat(options.beta1, ==, 0.9);
  g_assert_cmpfloat(options.beta2, ==, 0.999);
  g_assert_cmpfloat(options.eps, ==, 1e-8);
  g_assert_cmpfloat(options.clip_norm, ==, 1);
  g_assert_cmpfloat(options.warmup_ratio, ==, 0.03);
  g_assert_false(options.constant_lr);
  for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
    ModelError err = {0};
    TrainRun *run;
    options.parts = stages[i].parts;
    options.n_threads = 1;
    run = train_run_new(folder, NULL, &options, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpfloat(run->options.lr, ==, stages[i].lr);
    g_assert_cmpfloat(run->options.epochs, ==, stages[i].epochs);
    g_assert_cmpstr(run->template_name, ==, "mistral_instruct");
    train_run_free(run);
  }
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/traps/rope-order", test_rope_order);
  g_test_add_func("/traps/configs", test_configs);
  g_test_add_func("/traps/special-ids", test_special_ids);
  g_test_add_func("/traps/own-tower", test_own_tower);
  g_test_add_func("/traps/last-block", test_last_block);
  g_test_add_func("/traps/placeholders", test_placeholders);
  g_test_add_func("/traps/squares", test_squares);
  g_test_add_func("/traps/templates", test_templates);
  g_test_add_func("/traps/instructions", test_instructions);
  g_test_add_func("/traps/picture-positions", test_picture_positions);
  g_test_add_func("/traps/training-defaults", test_training_defaults);
  return g_test_run();
}
