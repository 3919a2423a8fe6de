/* instruct-examples.c - examples out of a text that people can read and change. */
#include "dataset/instruct-examples.h"

#include <string.h>

#include "dataset/instruct-turns.h"
#include "instruct-examples-lines.h"

#define MOST_EXAMPLES 256u
#define PHOTO "photo"

static void
example_free(gpointer data)
{
  DataExample *example = data;

  g_free(example->pair.label);
  g_clear_pointer(&example->pair.captions, g_ptr_array_unref);
  g_clear_pointer(&example->pair.mentions, g_ptr_array_unref);
  g_clear_pointer(&example->pair.boxes, g_array_unref);
  for (guint i = 0; i < DATA_N_KINDS; i++) {
    g_free(example->replies[i]);
  }
  g_free(example);
}

static void
box_clear(gpointer box)
{
  g_free(((DataBox *)box)->category);
}

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct {
  GPtrArray *examples;
  DataExample *example; /* the last of them; NULL: there is none yet */
  gint kind;            /* of the reply under way; -1: none */
  GString *reply;
} Parse;

static void
end_reply(Parse *parse)
{
  if (parse->kind >= 0) {
    g_free(parse->example->replies[parse->kind]);
    parse->example->replies[parse->kind] = data_text_strip(parse->reply->str, parse->reply->len);
  }
  g_string_truncate(parse->reply, 0);
  parse->kind = -1;
}

static const char *
begin_example(Parse *parse, const char *name)
{
  DataExample *example;
  guint domain = 0;

  while (domain < DATA_DOMAIN_NONE && strcmp(data_domain_name((DataDomain)domain), name) != 0) {
    domain++;
  }
  if (domain == DATA_DOMAIN_NONE && strcmp(name, PHOTO) != 0) {
    return "expected chest_xray, ct_scan, mri, histology, gross or photo behind \"==\"";
  }
  if (parse->examples->len == MOST_EXAMPLES) {
    return "more examples than any teacher needs";
  }
  end_reply(parse);
  example = g_new0(DataExample, 1);
  example->pair.domain = (DataDomain)domain;
  example->is_photo = domain == DATA_DOMAIN_NONE;
  example->pair.captions = g_ptr_array_new_with_free_func(g_free);
  example->pair.mentions = g_ptr_array_new_with_free_func(g_free);
  example->pair.boxes = g_array_new(FALSE, FALSE, sizeof(DataBox));
  g_array_set_clear_func(example->pair.boxes, box_clear);
  g_ptr_array_add(parse->examples, example);
  parse->example = example;
  return NULL;
}

static const char *
begin_reply(Parse *parse, const char *name)
{
  end_reply(parse);
  for (guint i = 0; i < DATA_N_KINDS; i++) {
    if (strcmp(data_kind_name((DataKind)i), name) == 0) {
      parse->kind = (gint)i;
      return NULL;
    }
  }
  return "expected conversation, detail or reasoning behind \"--\"";
}

/* "category 0.1 0.2 0.3 0.4"; a category may have blanks. */
static const char *
add_box(DataExample *example, const char *text)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  const guint n = g_strv_length(words);
  DataBox box = {0};
  double *const corners[] = {&box.x1, &box.y1, &box.x2, &box.y2};

  for (guint i = 0; n > 4 && i < 4; i++) {
    char *end = NULL;
    *corners[i] = g_ascii_strtod(words[n - 4 + i], &end);
    if (end == words[n - 4 + i] || *end || !(*corners[i] >= 0 && *corners[i] <= 1)) {
      return "expected four numbers from 0 to 1 behind a box's category";
    }
  }
  if (n < 5) {
    return "expected a category and four numbers behind \"box:\"";
  }
  for (guint i = n - 4; i < n; i++) {
    g_clear_pointer(&words[i], g_free);
  }
  box.category = g_strjoinv(" ", words);
  g_array_append_val(example->pair.boxes, box);
  return NULL;
}

static const char *
take_fact(DataExample *example, const char *line)
{
  const char *colon = strchr(line, ':');
  g_autofree char *text = colon ? data_text_strip(colon + 1, strlen(colon + 1)) : NULL;

  if (!text || !*text) {
    return "expected \"label:\", \"caption:\", \"mention:\" or \"box:\" and a text";
  }
  if (g_str_has_prefix(line, "label:")) {
    g_free(example->pair.label);
    example->pair.label = g_steal_pointer(&text);
  } else if (g_str_has_prefix(line, "caption:")) {
    g_ptr_array_add(example->pair.captions, g_steal_pointer(&text));
  } else if (g_str_has_prefix(line, "mention:")) {
    g_ptr_array_add(example->pair.mentions, g_steal_pointer(&text));
  } else if (g_str_has_prefix(line, "box:")) {
    return add_box(example, text);
  } else {
    return "expected \"label:\", \"caption:\", \"mention:\" or \"box:\"";
  }
  return NULL;
}

/* What is wrong with LINE, or NULL. */
static const char *
take_line(Parse *parse, const char *line)
{
  if (g_str_has_prefix(line, "== ")) {
    return begin_example(parse, line + 3);
  }
  if (parse->example && g_str_has_prefix(line, "-- ")) {
    return begin_reply(parse, line + 3);
  }
  if (parse->kind >= 0) {
    g_string_append(parse->reply, line);
    g_string_append_c(parse->reply, '\n');
    return NULL;
  }
  if (*line == '#' || !*line) {
    return NULL;
  }
  return parse->example ? take_fact(parse->example, line) : "expected \"== DOMAIN\"";
}

static const char *
check(const GPtrArray *examples)
{
  for (guint i = 0; i < examples->len; i++) {
    const DataExample *example = examples->pdata[i];
    gboolean any = FALSE;

    for (guint kind = 0; kind < DATA_N_KINDS; kind++) {
      any |= example->replies[kind] && *example->replies[kind];
    }
    if (example->pair.captions->len == 0 || !any) {
      return "an example without a caption, or without anything that is made of it";
    }
  }
  return examples->len > 0 ? NULL : "no example";
}

DataExamples *
data_examples_parse(const char *text, gsize n, char **problem)
{
  g_autoptr(DataExamples) examples = g_new0(DataExamples, 1);
  g_autofree char *copy = g_strndup(text, n);
  g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
  Parse parse = {.kind = -1, .reply = g_string_new(NULL)};
  const char *what = NULL;
  guint line = 0;

  examples->all = parse.examples = g_ptr_array_new_with_free_func(example_free);
  if (!g_utf8_validate_len(text, n, NULL)) {
    what = "bytes that are no UTF-8";
  }
  for (; !what && lines[line]; line++) {
    what = take_line(&parse, g_strchomp(lines[line]));
  }
  if (!what) {
    end_reply(&parse);
    what = check(examples->all);
  }
  g_string_free(parse.reply, TRUE);
  *problem = what ? g_strdup_printf("line %u: %s", MAX(line, 1), what) : NULL;
  return what ? NULL : g_steal_pointer(&examples);
}

/* ---- those that are built in --------------------------------------------------------------- */

char *
data_examples_text(void)
{
  return g_strjoinv("\n", (char **)examples_lines);
}

DataExamples *
data_examples_new(void)
{
  g_autofree char *text = data_examples_text(), *problem = NULL;
  DataExamples *examples = data_examples_parse(text, strlen(text), &problem);

  g_assert(examples); /* a test reads them */
  return examples;
}

void
data_examples_free(DataExamples *examples)
{
  if (examples) {
    g_clear_pointer(&examples->all, g_ptr_array_unref);
    g_free(examples);
  }
}
