/* bench.c - how fast a model is on this machine, beside what the machine could give. */
#include "private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app_bench.h"
#include "model_bench.h"

/* A line of /proc/self/status, in bytes; 0 where there is none. */
static guint64
status_bytes(const char *field)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
    return 0;
  }
  at = strstr(text, field);
  return at ? g_ascii_strtoull(at + strlen(field), NULL, 10) * 1024 : 0;
}

/* The peak of memory is counted from now on: the buffer of the machine's measurement is not the
 * model's. */
static void
forget_peak(void)
{
  const int fd = g_open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC, 0);

  if (fd >= 0) {
    (void)!write(fd, "5", 1);
    g_close(fd, NULL);
  }
}

typedef struct {
  AppBenchProgress progress;
  gpointer user;
} Listener;

static bool
forward_progress(const char *what, uint32_t done, uint32_t total, void *user)
{
  const Listener *listener = user;

  return !listener->progress || listener->progress(what, done, total, listener->user);
}

/* null for what was not measured. */
static void
set_number(JsonObject *object, const char *name, double value)
{
  if (value > 0) {
    json_object_set_double_member(object, name, value);
  } else {
    json_object_set_null_member(object, name);
  }
}

static double
over(double a, double b)
{
  return b > 0 ? a / b : 0;
}

static void
set_limits(JsonObject *object, const ModelMachine *machine)
{
  set_number(object, "read_bytes_per_s", machine->read_bytes_per_s);
  set_number(object, "int8_ops_per_s", machine->int8_ops_per_s);
  set_number(object, "bf16_ops_per_s", machine->bf16_ops_per_s);
  set_number(object, "f32_ops_per_s", machine->f32_ops_per_s);
  app_json_set_text(object, "int8_instruction", machine->int8_name);
  app_json_set_text(object, "bf16_instruction", machine->bf16_name);
  app_json_set_text(object, "f32_instruction", machine->f32_name);
}

static void
set_speeds(JsonObject *object, const AppBenchOptions *options, const ModelBench *bench,
           const ModelMachine *machine, guint64 peak)
{
  /* The logits are computed once for a prompt. */
  const double prompt_ops =
      2 * ((double)bench->layer_products * options->prompt + (double)bench->output_products);
  const double prompt_rate = over(prompt_ops, bench->prompt_s);
  const double decode = over(options->tokens, bench->decode_s);
  const double reading =
      bench->read_bytes_per_s > 0 ? bench->read_bytes_per_s : machine->read_bytes_per_s;
  const double image_rate = over(2 * (double)bench->picture_products, bench->image_s);

  set_number(object, "prompt_tokens_per_s", over(options->prompt, bench->prompt_s));
  set_number(object, "decode_tokens_per_s", decode);
  set_number(object, "image_s", bench->image_s);
  set_number(object, "first_token_s", bench->first_token_s);
  set_number(object, "follow_up_first_token_s", bench->follow_up_first_token_s);
  json_object_set_int_member(object, "peak_rss_bytes", (gint64)peak);
  set_number(object, "bandwidth_fraction",
             options->limits ? over(decode * (double)bench->token_bytes, reading) : 0);
  set_number(object, "int8_fraction", over(prompt_rate, machine->int8_ops_per_s));
  set_number(object, "bf16_fraction", over(prompt_rate, machine->bf16_ops_per_s));
  set_number(object, "image_int8_fraction", over(image_rate, machine->int8_ops_per_s));
  set_number(object, "image_bf16_fraction", over(image_rate, machine->bf16_ops_per_s));
  set_number(object, "prompt_ops_per_s", prompt_rate);
  set_number(object, "image_ops_per_s", image_rate);
  set_number(object, "decode_bytes_per_s", decode * (double)bench->token_bytes);
  json_object_set_int_member(object, "bytes_per_token", (gint64)bench->token_bytes);
  set_number(object, "read_between_tokens_bytes_per_s", bench->read_bytes_per_s);
  json_object_set_int_member(object, "first_positions", bench->first_positions);
  json_object_set_int_member(object, "follow_up_positions", bench->follow_up_positions);
}

static JsonNode *
report(const AppBenchOptions *options, const ModelInfo *info, double load_s,
       const ModelBench *bench, const ModelMachine *machine, guint64 peak)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "model", info->name);
  app_json_set_text(object, "quantization", info->quantization);
  app_json_set_text(object, "kernels", bench->kernels);
  json_object_set_int_member(object, "threads", bench->n_threads);
  json_object_set_int_member(object, "prompt", options->prompt);
  json_object_set_int_member(object, "tokens", options->tokens);
  json_object_set_int_member(object, "depth", options->depth);
  json_object_set_int_member(object, "repeats", options->repeats);
  set_number(object, "load_s", load_s);
  set_speeds(object, options, bench, machine, peak);
  set_limits(object, machine);
  return app_json_node(object);
}

/* Memory that is shared with other machines has another speed every minute: what it was after the
 * model's turn counts too, if it was more. */
static void
measure_again(const AppBenchOptions *options, ModelMachine *machine)
{
  ModelMachine after;

  if (model_machine_measure(options->model.n_threads, options->read_bytes, 0, &after, NULL)) {
    machine->read_bytes_per_s = MAX(machine->read_bytes_per_s, after.read_bytes_per_s);
  }
}

JsonNode *
app_bench(const AppBenchOptions *options, AppBenchProgress progress, gpointer user, GError **error)
{
  Listener listener = {progress, user};
  const ModelBenchOptions bench_options = {.prompt = options->prompt,
                                           .tokens = options->tokens,
                                           .depth = options->depth,
                                           .question = options->question,
                                           .image = options->image,
                                           .context = options->model.context,
                                           .repeats = options->repeats,
                                           .read = options->limits,
                                           .progress = forward_progress,
                                           .user = &listener};
  g_autoptr(ModelEngine) engine = NULL;
  ModelMachine machine = {0};
  ModelBench bench;
  ModelError failure = {0};
  guint64 peak;
  gint64 start;
  double load_s;

  if (options->limits && !model_machine_measure(options->model.n_threads, options->read_bytes,
                                                options->seconds, &machine, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  forget_peak();
  start = g_get_monotonic_time();
  engine = app_engine_open(&options->model, error);
  if (!engine) {
    return NULL;
  }
  load_s = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  if (!model_bench_run(engine, &bench_options, &bench, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  if (app_engine_is_lost(engine, error)) {
    return NULL;
  }
  peak = status_bytes("VmHWM:");
  if (options->limits) {
    measure_again(options, &machine);
  }
  return report(options, model_engine_info(engine), load_s, &bench, &machine, peak);
}
