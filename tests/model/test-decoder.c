/* test-decoder.c - the decoder beside a plain twin in double, beside itself (chunks, threads, where
 * the weights lie), and beside exact arithmetic on quantised and trained weights. */
#include "golden.h"
#include "tiny.h"

/* ---- the plain twin: llm_logits() of the reference ---------------------------------------- */

static void
plain_norm(const double *x, const ModelTensor *w, guint n, guint width, double eps, double *y)
{
  for (guint i = 0; i < n; i++) {
    double squares = 0;
    for (guint k = 0; k < width; k++) {
      squares += x[i * width + k] * x[i * width + k] / width;
    }
    for (guint k = 0; k < width; k++) {
      y[i * width + k] = x[i * width + k] / sqrt(squares + eps) * tiny_values(w)[k];
    }
  }
}

static void
plain_rope(const ModelDecoderConfig *c, double *x, guint n, guint heads)
{
  const guint half = c->head_dim / 2;

  for (guint i = 0; i < n * heads; i++) {
    double *row = x + i * c->head_dim;
    for (guint k = 0; k < half; k++) {
      const double angle = (i / heads) / pow(c->theta, 2.0 * k / c->head_dim);
      double *a = c->rope_adjacent ? row + 2 * k : row + k;
      double *b = c->rope_adjacent ? row + 2 * k + 1 : row + k + half;
      const double first = *a, second = *b;
      *a = first * cos(angle) - second * sin(angle);
      *b = second * cos(angle) + first * sin(angle);
    }
  }
}

static void
plain_attention(const ModelDecoderConfig *c, const double *q, const double *k, const double *v,
                guint n, double *out)
{
  const guint d = c->head_dim, q_width = c->heads * d, kv_width = c->kv_heads * d;
  g_autofree double *p = g_new(double, n);

  for (guint h = 0; h < c->heads; h++) {
    const guint kv = h / (c->heads / c->kv_heads) * d;
    for (guint i = 0; i < n; i++) {
      double sum = 0;
      for (guint j = 0; j <= i; j++) {
        double s = 0;
        for (guint e = 0; e < d; e++) {
          s += q[i * q_width + h * d + e] * k[j * kv_width + kv + e];
        }
        p[j] = exp(s / sqrt(d));
        sum += p[j];
      }
      for (guint e = 0; e < d; e++) {
        double total = 0;
        for (guint j = 0; j <= i; j++) {
          total += p[j] / sum * v[j * kv_width + kv + e];
        }
        out[i * q_width + h * d + e] = total;
      }
    }
  }
}

/* ids -> logits after the last one. */
static double *
plain_logits(const ModelCheckpoint *checkpoint, const int32_t *ids, guint n)
{
  const ModelDecoderConfig *c = &checkpoint->config.decoder;
  const ModelWeights *w = &checkpoint->weights;
  const guint width = c->hidden, q_width = c->heads * c->head_dim;
  g_autofree double *x = g_new(double, n *width), *h = g_new(double, n *width);
  g_autofree double *q = g_new(double, n *q_width), *a = g_new(double, n *q_width);
  g_autofree double *k = g_new(double, n *q_width), *v = g_new(double, n *q_width);
  g_autofree double *g = g_new(double, n * c->ffn), *u = g_new(double, n * c->ffn);
  double *logits = g_new(double, c->vocab);

  for (guint i = 0; i < n * width; i++) {
    x[i] = tiny_values(&w->token_embedding)[ids[i / width] * width + i % width];
  }
  for (guint layer = 0; layer < c->layers; layer++) {
    const ModelLayer *l = &w->layers[layer];
    plain_norm(x, &l->attn_norm, n, width, c->eps, h);
    tiny_product(&l->q, NULL, h, n, q);
    tiny_product(&l->k, NULL, h, n, k);
    tiny_product(&l->v, NULL, h, n, v);
    plain_rope(c, q, n, c->heads);
    plain_rope(c, k, n, c->kv_heads);
    plain_attention(c, q, k, v, n, a);
    tiny_product(&l->o, NULL, a, n, h);
    for (guint i = 0; i < n * width; i++) {
      x[i] += h[i];
    }
    plain_norm(x, &l->ffn_norm, n, width, c->eps, h);
    tiny_product(&l->gate, NULL, h, n, g);
    tiny_product(&l->up, NULL, h, n, u);
    for (guint i = 0; i < n * c->ffn; i++) {
      g[i] = g[i] / (1 + exp(-g[i])) * u[i];
    }
    tiny_product(&l->down, NULL, g, n, h);
    for (guint i = 0; i < n * width; i++) {
      x[i] += h[i];
    }
  }
  plain_norm(x + (n - 1) * width, &w->output_norm, 1, width, c->eps, h);
  tiny_product(&w->output, NULL, h, 1, logits);
  return logits;
}

static int32_t *
random_ids(guint n, guint vocab, guint32 seed)
{
  GRand *rand = g_rand_new_with_seed(seed);
  int32_t *ids = g_new(int32_t, n);

  for (guint i = 0; i < n; i++) {
    ids[i] = g_rand_int_range(rand, 0, (gint32)vocab);
  }
  g_rand_free(rand);
  return ids;
}

static void
test_plain_twin(void)
{
  for (guint variant = 0; variant < 4; variant++) {
    ModelConfig config = tiny_config(variant & 1);
    Tiny tiny;
    ModelCheckpoint plain;
    ModelEngine *engine;

    config.decoder.rope_adjacent = variant & 2;
    tiny_init(&tiny, &config, 20 + variant);
    plain = tiny.checkpoint; /* stays valid while the engine lives */
    engine = tiny_engine(&tiny, 2);
    for (guint n = 1; n < 90; n = n * 3 + 2) {
      g_autofree int32_t *ids = random_ids(n, config.decoder.vocab, n);
      g_autofree double *twin = plain_logits(&plain, ids, n);
      ModelSpan span = {.ids = ids, .n = n, .n_plain = n};
      ModelDecoder decoder = {0};
      g_assert_true(model_decoder_init(&decoder, engine, 100, NULL));
      g_assert_true(model_decoder_run(&decoder, &span, 0, NULL, NULL));
      /* Logits of about 5 after two layers of float32. */
      for (guint i = 0; i < config.decoder.vocab; i++) {
        g_assert_cmpfloat(fabs(decoder.logits[i] - twin[i]), <=, 5e-5 + 1e-5 * fabs(twin[i]));
      }
      model_decoder_clear(&decoder);
    }
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

/* ---- the decoder beside itself ------------------------------------------------------------ */

/* A prompt longer than a chunk, and a last token on its own: as one run, and token by token. */
static void
test_prefill_and_steps(void)
{
  const ModelConfig config = tiny_config(FALSE);
  const guint n = MODEL_PREFILL_CHUNK + 77;
  g_autofree int32_t *ids = random_ids(n, config.decoder.vocab, 5);
  ModelSpan whole = {.ids = ids, .n = n, .n_plain = n},
            part = {.ids = ids, .n = n - 100, .n_plain = n};
  ModelDecoder a = {0}, b = {0};
  Tiny tiny;
  ModelEngine *engine;

  tiny_init(&tiny, &config, 30);
  engine = tiny_engine(&tiny, 2);
  g_assert_true(model_decoder_init(&a, engine, n, NULL));
  g_assert_true(model_decoder_init(&b, engine, n, NULL));
  g_assert_true(model_decoder_run(&a, &whole, 0, NULL, NULL));
  g_assert_true(model_decoder_run(&b, &part, 0, NULL, NULL));
  for (guint i = n - 100; i < n; i++) {
    g_assert_true(model_decoder_step(&b, ids[i], i, NULL, NULL));
  }
  for (guint i = 0; i < config.decoder.vocab; i++) {
    g_assert_cmpfloat(fabs(a.logits[i] - b.logits[i]), <=, 5e-5);
  }
  model_decoder_clear(&a);
  model_decoder_clear(&b);
  model_engine_free(engine);
  tiny_clear(&tiny);
}

static void
test_threads(void)
{
  ModelConfig config = tiny_config(FALSE);
  const guint n = 600;
  g_autofree int32_t *ids = random_ids(n, config.decoder.vocab, 6);
  g_autofree float *first = NULL;

  config.decoder.hidden = 192;
  config.decoder.head_dim = 48;
  config.decoder.ffn = 500;
  for (guint threads = 1; threads <= 3; threads++) {
    ModelSpan span = {.ids = ids, .n = n, .n_plain = n};
    ModelDecoder decoder = {0};
    Tiny tiny;
    ModelEngine *engine;
    tiny_init(&tiny, &config, 31);
    engine = tiny_engine(&tiny, threads);
    g_assert_true(model_decoder_init(&decoder, engine, n + 1, NULL));
    g_assert_true(model_decoder_run(&decoder, &span, 0, NULL, NULL));
    g_assert_true(model_decoder_step(&decoder, 7, n, NULL, NULL));
    if (threads == 1) {
      first = g_memdup2(decoder.logits, config.decoder.vocab * sizeof(float));
    } else {
      g_assert_cmpmem(decoder.logits, config.decoder.vocab * sizeof(float), first,
                      config.decoder.vocab * sizeof(float));
    }
    model_decoder_clear(&decoder);
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

/* Keys and values in fewer bits change the logits, but not by much; the same bits one by one and in
 * a batch, in every type. */
static void
test_kv_types(void)
{
  /* Logits of about 5: float16 keeps 11 bits, q8_0 7 of the largest in 32. */
  static const double tolerance[] = {0, 0, 2e-3, 6e-2};
  ModelConfig config = tiny_config(FALSE);
  enum { N = 200, LAST = 5 };
  g_autofree int32_t *ids = random_ids(N, config.decoder.vocab, 9);
  const guint vocab = config.decoder.vocab;
  g_autofree float *exact = NULL, *batch = g_new(float, LAST *vocab);
  Tiny tiny;
  ModelEngine *engine;

  tiny_init(&tiny, &config, 33);
  engine = tiny_engine(&tiny, 2);
  for (guint type = MODEL_KV_F32; type <= MODEL_KV_Q8_0; type++) {
    ModelSpan span = {.ids = ids, .n = N - LAST, .n_plain = N};
    ModelDecoder d = {0};
    double worst = 0;
    g_assert_true(model_decoder_init_typed(&d, engine, N, type, NULL));
    g_assert_true(model_decoder_run(&d, &span, 0, NULL, NULL));
    g_assert_true(model_decoder_verify(&d, ids + N - LAST, LAST, N - LAST, batch, NULL, NULL));
    for (guint i = 0; i < LAST; i++) {
      g_assert_true(model_decoder_step(&d, ids[N - LAST + i], N - LAST + i, NULL, NULL));
      g_assert_cmpmem(d.logits, vocab * sizeof(float), batch + i * vocab, vocab * sizeof(float));
    }
    exact = exact ? exact : g_memdup2(d.logits, vocab * sizeof(float));
    for (guint i = 0; i < vocab; i++) {
      worst = MAX(worst, fabs(d.logits[i] - exact[i]));
    }
    g_test_message("type %u: largest difference of a logit %.2g", type, worst);
    g_assert_cmpfloat(worst, <=, tolerance[type]);
    g_assert_true(type == MODEL_KV_F32 || worst > 0);
    model_decoder_clear(&d);
  }
  g_assert_cmpuint(model_engine_kv_bytes(engine, MODEL_KV_AUTO), ==,
                   model_engine_kv_bytes(engine, MODEL_KV_F32));
  model_engine_free(engine);
  tiny_clear(&tiny);
}

static void
test_refusals(void)
{
  const ModelConfig config = tiny_config(FALSE);
  const int32_t too_high[] = {1, (int32_t)config.decoder.vocab}, negative[] = {-1};
  const int32_t picture[] = {MODEL_IMAGE_ID}, fine[] = {1, 2, 3};
  const struct {
    ModelSpan span;
    guint first;
    ModelErrorCode code;
  } cases[] = {{{.ids = too_high, .n = 2}, 0, MODEL_ERROR_CORRUPT},
               {{.ids = negative, .n = 1}, 0, MODEL_ERROR_CORRUPT},
               {{.ids = picture, .n = 1}, 0, MODEL_ERROR_ARGUMENT},
               {{.ids = fine, .n = 3}, 98, MODEL_ERROR_CONTEXT},
               {{.ids = fine, .n = 0}, 0, MODEL_ERROR_CONTEXT}};
  ModelDecoder decoder = {0};
  Tiny tiny;
  ModelEngine *engine;
  ModelError err;

  tiny_init(&tiny, &config, 32);
  engine = tiny_engine(&tiny, 1);
  g_assert_true(model_decoder_init(&decoder, engine, 100, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    ModelSpan span = cases[i].span;
    err = (ModelError){0};
    g_assert_false(model_decoder_run(&decoder, &span, cases[i].first, NULL, &err));
    g_assert_cmpint(err.code, ==, cases[i].code);
  }
  model_decoder_clear(&decoder);
  model_engine_free(engine);
  tiny_clear(&tiny);
}

/* Configurations that would make a stage divide by zero, read past an array or never end. */
static void
test_refused_configurations(void)
{
  enum {
    LAYERS,
    KV,
    ODD,
    EPS,
    THETA,
    VOCAB,
    HEADS,
    BLOCKS,
    STD,
    MEAN,
    PATCHES,
    PROJECTOR,
    NAME,
    N
  };
  static const char *const says[N] = {"*0 layers*",
                                      "*4 heads of 6 on 3*",
                                      "*4 heads of 5*",
                                      "*rms_norm_eps*",
                                      "*rope_theta*",
                                      "*295*expected 296*",
                                      "*18 in 5 heads*",
                                      "*4 of 3 blocks*",
                                      "*image_std*",
                                      "*image_mean*",
                                      "*more than 65536 patches*",
                                      "*no projector*",
                                      "*\"nobody\"*"};

  for (int i = 0; i < N; i++) {
    const ModelConfig config = tiny_config(FALSE);
    Tiny tiny;
    ModelConfig *c;
    ModelError err = {0};

    tiny_init(&tiny, &config, 40);
    c = &tiny.checkpoint.config;
    switch (i) {
    case LAYERS:
      c->decoder.layers = 0;
      break;
    case KV:
      c->decoder.kv_heads = 3;
      break;
    case ODD:
      c->decoder.head_dim = 5;
      break;
    case EPS:
      c->decoder.eps = NAN;
      break;
    case THETA:
      c->decoder.theta = 0;
      break;
    case VOCAB:
      c->decoder.vocab++;
      break;
    case HEADS:
      c->vision.heads = 5;
      break;
    case BLOCKS:
      c->vision.blocks_run = 4;
      break;
    case STD:
      c->vision.std[1] = 0;
      break;
    case MEAN:
      c->vision.mean[2] = 1e30f;
      break;
    case PATCHES:
      c->vision.image_size = 4096;
      c->vision.patch_size = 1;
      break;
    case PROJECTOR:
      c->projector = MODEL_PROJECTOR_NONE;
      break;
    default:
      g_strlcpy(c->template_name, "nobody", sizeof c->template_name);
    }
    g_assert_null(model_engine_new(&tiny.checkpoint, NULL, MODEL_ARENA_BYTES, &err));
    g_assert_cmpint(err.code, !=, MODEL_OK);
    if (!g_pattern_match_simple(says[i], err.message)) {
      g_test_message("%s", err.message);
      g_test_fail();
    }
    tiny_clear(&tiny);
  }
}

/* ---- golden weights ----------------------------------------------------------------------- */

/* An engine that is only looked at knows what it would be, tokenizes, and answers nothing. */
static void
test_inspect(void)
{
  const ModelConfig config = tiny_config(FALSE);
  const ModelEngineOptions options = {.inspect = true};
  const ModelSessionOptions session = {.context = 50, .kv_type = MODEL_KV_F16};
  ModelMemory before, after;
  const uint8_t grey[4] = {0};
  const ModelImage image = {2, 2, 1, grey};
  ModelIds ids = {0};
  ModelTrace trace;
  Tiny tiny;
  ModelEngine *engine, *whole;
  ModelError err = {0};

  tiny_init(&tiny, &config, 33);
  engine = model_engine_new(&tiny.checkpoint, &options, MODEL_ARENA_BYTES, &err);
  g_assert_nonnull(engine);
  g_assert_true(model_tokenize(engine, "a", 1, &ids, NULL));
  g_assert_null(model_session_new(engine, NULL, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_trace(engine, &image, "a <image>", 1, &trace, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  tiny_clear(&tiny);
  tiny_init(&tiny, &config, 33);
  whole = tiny_engine(&tiny, 1);
  g_assert_cmpuint(engine->resident_bytes, ==, whole->resident_bytes);
  model_engine_memory(engine, &session, 3, &before);
  model_engine_memory(whole, &session, 3, &after);
  g_assert_cmpmem(&before, sizeof before, &after, sizeof after);
  g_assert_cmpuint(before.context, ==, 50);
  g_assert_cmpuint(before.kv_bytes, ==, 64 * model_engine_kv_bytes(engine, MODEL_KV_F16));
  g_assert_cmpuint(before.weight_bytes, ==, engine->resident_bytes);
  g_assert_cmpuint(before.workspace_bytes, >, 3 * (4u << 20));
  g_assert_cmpuint(before.peak_bytes, >,
                   before.weight_bytes + before.kv_bytes + before.workspace_bytes);
  g_assert_cmpuint(model_engine_info(engine)->n_parameters, ==,
                   model_engine_info(whole)->n_parameters);
  model_ids_clear(&ids);
  model_engine_free(engine);
  model_engine_free(whole);
  tiny_clear(&tiny);
}

/* The cosine of two lists of numbers. */
static double
cosine(const float *a, const float *b, gsize n)
{
  double ab = 0, aa = 0, bb = 0;

  for (gsize i = 0; i < n; i++) {
    ab += (double)a[i] * (double)b[i];
    aa += (double)a[i] * (double)a[i];
    bb += (double)b[i] * (double)b[i];
  }
  return ab / sqrt(aa * bb);
}

/* Packed weights, activations in 8 bits: every kernel of this processor gives the same bits on any
 * number of threads. The limit is the reference's own for such arithmetic: twice what libllama
 * differs by. EXPECTED is of the same model in float32. */
static void
check_packed(const char *name, JsonObject *quantised, const ModelImage *image, const char *prompt,
             const ModelTrace *expected)
{
  JsonObject *exact = json_object_get_object_member(quantised, "exact_math");
  JsonArray *margins = json_object_get_array_member(exact, "margins");
  const double limit = json_object_get_double_member(
      json_object_get_object_member(quantised, "tolerance_hint"), "logit_abs");
  const char *model = json_object_get_string_member(quantised, "file");
  g_autofree char *folder = g_strdup_printf("vectors/%s", name), *root = shared_path(folder);
  g_autofree char *path = g_build_filename(root, model, NULL);
  g_autofree char *mmproj = g_build_filename(root, "gguf/mmproj-f16.gguf", NULL);
  g_autofree float *first = NULL;
  const ModelKernels *kernels;

  for (guint k = 0; (kernels = model_kernels_at(k)); k++) {
    const ModelEngineOptions options = {
        .mmproj = mmproj, .n_threads = k % 3 + 1, .kernels = kernels->name};
    ModelCheckpoint checkpoint;
    ModelEngine *engine;
    ModelTrace trace;
    ModelError err = {0};
    double seen, worst;

    g_assert_true(model_checkpoint_open(path, &options, &checkpoint, &err));
    engine = model_engine_new(&checkpoint, &options, 0, &err);
    g_assert_nonnull(engine);
    g_assert_true(engine->packs);
    g_assert_true(model_trace(engine, image, prompt, (guint)expected->greedy.n, &trace, &err));
    worst = golden_check_pairs(trace.logits, trace.vocab,
                               json_object_get_array_member(exact, "top10"), limit);
    worst = MAX(worst, golden_check_pairs(trace.logits, trace.vocab,
                                          json_object_get_array_member(exact, "samples"), limit));
    seen = cosine(trace.projected, expected->projected, (gsize)trace.n_patches * trace.hidden);
    g_test_message("%s %s %s: largest difference of a logit %.2g of %.2g, cosine of the picture's "
                   "tokens %.6f",
                   name, model, kernels->name, worst, limit, seen);
    g_assert_cmpfloat(seen, >=, 0.9995);
    for (guint i = 0; i < trace.greedy.n && json_array_get_double_element(margins, i) >= 2 * limit;
         i++) {
      g_assert_cmpint(trace.greedy.ids[i], ==, expected->greedy.ids[i]);
    }
    if (first) {
      g_assert_cmpmem(trace.logits, trace.vocab * sizeof(float), first,
                      trace.vocab * sizeof(float));
    } else {
      first = g_memdup2(trace.logits, trace.vocab * sizeof(float));
    }
    model_trace_clear(&trace);
    model_engine_free(engine);
  }
}

/* Activations stay in float32, so the limit is that of exact arithmetic, 2e-4. Greedy ids are
 * compared up to the first step whose two best are closer than ten times that. */
static void
check_quantised(const char *name, const char *type, JsonObject *quantised, JsonObject *object)
{
  JsonObject *exact = json_object_get_object_member(quantised, "exact_math");
  JsonArray *ids = json_object_get_array_member(exact, "greedy_ids");
  JsonArray *margins = json_object_get_array_member(exact, "margins");
  const char *model = json_object_get_string_member(quantised, "file");
  const char *prompt = json_object_get_string_member(object, "prompt");
  ModelEngine *engine = golden_open(name, model, "gguf/mmproj-f16.gguf", NULL, 2);
  ModelImage image;
  ModelTrace trace;
  double worst;

  golden_image(name, object, &image);
  g_assert_true(model_trace(engine, &image, prompt, json_array_get_length(ids), &trace, NULL));
  worst = golden_check_pairs(trace.logits, trace.vocab,
                             json_object_get_array_member(exact, "top10"), 2e-4);
  worst = MAX(worst, golden_check_pairs(trace.logits, trace.vocab,
                                        json_object_get_array_member(exact, "samples"), 2e-4));
  for (guint i = 0; i < trace.greedy.n; i++) {
    if (json_array_get_double_element(margins, i) < 2e-3) {
      break;
    }
    g_assert_cmpint(trace.greedy.ids[i], ==, json_array_get_int_element(ids, i));
  }
  g_test_message("%s %s: largest difference of a logit %.2g", name, type, worst);
  check_packed(name, quantised, &image, prompt, &trace);
  model_trace_clear(&trace);
  g_free((void *)image.pixels);
  model_engine_free(engine);
}

static void
test_quantised(gconstpointer data)
{
  const char *name = data;
  g_autoptr(JsonParser) parser = golden_load(name);
  JsonObject *quantised;
  g_autoptr(GList) types = NULL;

  if (!parser) {
    return;
  }
  quantised = json_object_get_object_member(golden_root(parser), "quantised");
  types = json_object_get_members(quantised);
  for (GList *l = types; l; l = l->next) {
    check_quantised(name, l->data, json_object_get_object_member(quantised, l->data),
                    golden_case(golden_root(parser), "pic1"));
  }
}

/* ---- trained weights ---------------------------------------------------------------------- */

static void
test_trained(gconstpointer data)
{
  const char *const *names = data; /* the entry, the file */
  g_autofree char *expected_path = shared_path("corpus/weights/expected.json");
  g_autofree char *relative = g_build_filename("corpus/weights", names[1], NULL);
  g_autofree char *path = shared_path(relative);
  g_autoptr(JsonParser) parser = json_parser_new();
  const ModelEngineOptions options = {.n_threads = 2};
  ModelError err = {0};
  ModelEngine *engine;
  JsonObject *entry;
  JsonArray *ids;
  ModelTrace trace;

  if (!expected_path || !path) {
    return;
  }
  g_assert_true(json_parser_load_from_file(parser, expected_path, NULL));
  entry = json_object_get_object_member(golden_root(parser), names[0]);
  ids = json_object_get_array_member(entry, "greedy_ids");
  engine = model_engine_open(path, &options, &err);
  g_assert_cmpstr(err.message, ==, "");
  g_assert_false(model_engine_info(engine)->has_vision);
  model_trace(
      engine, NULL,
      json_object_has_member(entry, "prompt") ? json_object_get_string_member(entry, "prompt") : "",
      json_array_get_length(ids), &trace, &err);
  g_assert_cmpstr(err.message, ==, "");
  golden_check_ids(&trace.ids, json_object_get_array_member(entry, "prompt_ids"));
  golden_check_ids(&trace.greedy, ids);
  if (json_object_has_member(entry, "first_logits_top5")) {
    golden_check_pairs(trace.logits, trace.vocab,
                       json_object_get_array_member(entry, "first_logits_top5"), 2e-4);
  }
  /* One entry's text keeps the blank of the dummy prefix. */
  g_assert_cmpstr(trace.text, ==,
                  json_object_get_string_member(entry, "text") +
                      (json_object_get_string_member(entry, "text")[0] == ' '));
  model_trace_clear(&trace);
  model_engine_free(engine);
}

int
main(int argc, char **argv)
{
  static const char *const trained[][2] = {{"stories15M", "stories15M"},
                                           {"stories15M-doctor", "stories15M"},
                                           {"stories260K", "stories260K.gguf"}};

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/decoder/plain-twin", test_plain_twin);
  g_test_add_func("/decoder/prefill-and-steps", test_prefill_and_steps);
  g_test_add_func("/decoder/threads", test_threads);
  g_test_add_func("/decoder/kv-types", test_kv_types);
  g_test_add_func("/decoder/refusals", test_refusals);
  g_test_add_func("/decoder/inspect", test_inspect);
  g_test_add_func("/decoder/refused-configurations", test_refused_configurations);
  g_test_add_data_func("/decoder/quantised/A-v15-tiny", "A-v15-tiny", test_quantised);
  g_test_add_data_func("/decoder/quantised/C-odd", "C-odd", test_quantised);
  for (guint i = 0; i < G_N_ELEMENTS(trained); i++) {
    g_autofree char *path = g_strdup_printf("/decoder/trained/%s", trained[i][0]);
    g_test_add_data_func(path, trained[i], test_trained);
  }
  return g_test_run();
}
