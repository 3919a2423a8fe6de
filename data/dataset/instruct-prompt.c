/* instruct-prompt.c - what a teacher is told: the rules, some examples, and what is known of one
 * picture (LLaVA-Med, 3.2 and figure 9; LLaVA, table 1). The words are ours. */
#include <string.h>

#include "dataset/instruct-examples.h"

#define MEDICAL                                                                                    \
  "You write training data for an assistant that looks at biomedical images and talks about them " \
  "with people. You are given what a scientific article says of one figure: its caption and, "     \
  "sometimes, sentences of the article that refer to it. You cannot see the image itself. Write "  \
  "as if you could, and as if you had nothing else.\n\n"
#define PHOTO                                                                                      \
  "You write training data for an assistant that looks at photographs and talks about them with "  \
  "people. You are given several sentences by different people about one picture and, "            \
  "sometimes, where things are in it, as CATEGORY: [x1, y1, x2, y2], the top left and bottom "     \
  "right corner in parts of the width and height from 0 to 1. You cannot see the picture itself. " \
  "Write as if you could, and as if you had nothing else.\n\n"
#define NEVER_TELL                                                                                 \
  "- Never let it show that there is a text. Do not use words like \"caption\", "                  \
  "\"description\", \"mentioned\", \"context\" or \"according to\"; say \"in the image\".\n"
#define MEDICAL_RULES                                                                              \
  "- Say only what the text supports and the image could show. Leave out exact numbers, dates, "   \
  "names, and terms that nobody could read off an image.\n" NEVER_TELL                             \
  "- Be careful: give no medical advice, and where a diagnosis or a treatment would be asked "     \
  "for, say that a professional has to decide.\n"
#define PHOTO_RULES                                                                                \
  "- Say only what the sentences and the places of things support. Use the places for counts, "    \
  "positions and relations, and never repeat their numbers.\n" NEVER_TELL
#define AS_TURNS                                                                                   \
  "- Begin each question with \"User: \" and each answer with \"Assistant: \", with an empty "     \
  "line between them. Write nothing else.\n"

/* By kind, for figures of articles and for photographs. */
static const char *const rules[DATA_N_KINDS][2] = {
    {MEDICAL "Write a conversation in which a User asks about the image and an Assistant answers.\n"
             "- Two to five questions, each about something else that can be seen: the kind of "
             "image, its view or plane, organs, where something is, its shape, size, number, "
             "colour or brightness, and what this may mean.\n" MEDICAL_RULES AS_TURNS,
     PHOTO "Write a conversation in which a User asks about the picture and an Assistant answers.\n"
           "- Three to six questions with definite answers: which things there are, how many, "
           "what they do, where they are and how they lie to each other, and one or two that need "
           "some knowledge of the world, with fuller answers.\n" PHOTO_RULES AS_TURNS},
    {MEDICAL "Describe the image in full, in one or two paragraphs: the kind of image, what it "
             "shows, where, how it looks, and what is remarkable in it.\n" MEDICAL_RULES
             "- Write the description alone, without a question and without a heading.\n",
     PHOTO "Describe the picture in full, in one or two paragraphs: the scene, the things in it, "
           "how many there are and where, what happens, and the mood.\n" PHOTO_RULES
           "- Write the description alone, without a question and without a heading.\n"},
    {MEDICAL "Write one question that can only be answered by someone who sees the image and "
             "thinks about it with what is known in medicine, and the answer, step by step.\n"
             "- The question itself does not say what is seen.\n" MEDICAL_RULES AS_TURNS,
     PHOTO "Write one question that can only be answered by someone who sees the picture and "
           "thinks about it with what is known of the world, and the answer, step by step.\n"
           "- The question itself does not say what is seen.\n" PHOTO_RULES AS_TURNS}};

static gboolean
is_photo(const DataPair *pair)
{
  return pair->domain == DATA_DOMAIN_NONE && (pair->captions->len > 1 || pair->boxes->len > 0);
}

/* ---- what is known of a picture ------------------------------------------------------------ */

static void
append_number(GString *text, double number)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append(text, g_ascii_formatd(digits, sizeof digits, "%.3f", number));
}

static void
append_boxes(GString *text, const GArray *boxes)
{
  for (guint i = 0; i < boxes->len; i++) {
    const DataBox *box = &g_array_index(boxes, DataBox, i);
    const double corners[] = {box->x1, box->y1, box->x2, box->y2};

    g_string_append_printf(text, "\n%s: [", box->category);
    for (guint c = 0; c < 4; c++) {
      g_string_append(text, c > 0 ? ", " : "");
      append_number(text, corners[c]);
    }
    g_string_append_c(text, ']');
  }
}

static void
append_captions(GString *text, const GPtrArray *captions)
{
  for (guint i = 0; i < captions->len; i++) {
    g_string_append(text, i > 0 ? "\n" : "");
    g_string_append(text, captions->pdata[i]);
  }
}

static char *
tell_photo(const DataPair *pair)
{
  GString *text = g_string_new(NULL);

  append_captions(text, pair->captions);
  g_string_append(text, pair->boxes->len > 0 ? "\n" : "");
  append_boxes(text, pair->boxes);
  return g_string_free(text, FALSE);
}

/* In the form that LLaVA-Med asked in. */
static char *
tell_figure(const DataPair *pair, gboolean mentions)
{
  GString *text = g_string_new("Figure Caption:\n");

  if (pair->label) {
    g_string_append_printf(text, "%s: ", pair->label);
  }
  append_captions(text, pair->captions);
  if (mentions && pair->mentions->len > 0) {
    g_string_append(text, "\n\nFigure Context:");
    for (guint i = 0; i < pair->mentions->len; i++) {
      g_string_append_printf(text, "\n\t- %s", (char *)pair->mentions->pdata[i]);
    }
  }
  if (pair->boxes->len > 0) {
    g_string_append(text, "\n\nPlaces as [x1, y1, x2, y2], from the top left corner in parts of "
                          "width and height:");
    append_boxes(text, pair->boxes);
  }
  return g_string_free(text, FALSE);
}

static char *
tell(const DataPair *pair, gboolean photo, gboolean mentions)
{
  return photo ? tell_photo(pair) : tell_figure(pair, mentions);
}

/* ---- the messages -------------------------------------------------------------------------- */

/* Those of the pair's own domain first, then the first of each other, in their order: the same
 * messages begin all questions about pictures of one kind, which servers keep. */
static GPtrArray *
choose_examples(const DataInstruct *instruct, const DataPair *pair, DataKind kind, gboolean photo)
{
  GPtrArray *chosen = g_ptr_array_new();
  const GPtrArray *all = instruct->examples ? instruct->examples->all : NULL;
  guint seen = 0; /* domains, as bits */

  for (guint i = 0; all && i < all->len && chosen->len < instruct->n_examples; i++) {
    const DataExample *e = all->pdata[i];
    if (e->replies[kind] && e->is_photo == photo && (photo || e->pair.domain == pair->domain)) {
      g_ptr_array_add(chosen, (gpointer)e);
    }
  }
  for (guint i = 0; all && !photo && i < all->len && chosen->len < instruct->n_examples; i++) {
    const DataExample *e = all->pdata[i];
    if (e->replies[kind] && !e->is_photo && e->pair.domain != pair->domain &&
        !(seen & 1u << e->pair.domain)) {
      seen |= 1u << e->pair.domain;
      g_ptr_array_add(chosen, (gpointer)e);
    }
  }
  return chosen;
}

void
data_instruct_ask(const DataInstruct *instruct, const DataPair *pair, DataKind kind, DataSay say,
                  gpointer user)
{
  const gboolean photo = is_photo(pair);
  g_autoptr(GPtrArray) examples = choose_examples(instruct, pair, kind, photo);
  g_autofree char *question = tell(pair, photo, instruct->mentions);

  say("system", rules[kind][photo], user);
  for (guint i = 0; i < examples->len; i++) {
    const DataExample *example = examples->pdata[i];
    g_autofree char *shown = tell(&example->pair, photo, instruct->mentions);

    say("user", shown, user);
    say("assistant", example->replies[kind], user);
  }
  say("user", question, user);
}
