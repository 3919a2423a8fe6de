/* phantom-caption.c - the truth of a phantom as a caption: brief (under 30 words) or detailed. */
#include "phantom.h"

#include <string.h>

#include "model_prompt.h"

static const char *const numbers[] = {"no", "one", "two", "three"};

static const char *
side_name(PhantomSide side)
{
  return side == PHANTOM_SIDE_LEFT ? "left" : side == PHANTOM_SIDE_RIGHT ? "right" : "both";
}

static const PhantomFinding *
first_of(const PhantomTruth *truth, PhantomFindingKind kind)
{
  for (guint i = 0; i < truth->n_findings; i++) {
    if (truth->findings[i].kind == kind) {
      return &truth->findings[i];
    }
  }
  return NULL;
}

/* "a small nodule in the upper zone of the left lung"; NULL without one. */
static char *
nodules_phrase(const PhantomTruth *truth)
{
  const PhantomFinding *f = first_of(truth, PHANTOM_NODULE);
  guint left = phantom_count(truth, PHANTOM_NODULE, PHANTOM_SIDE_LEFT);
  guint right = phantom_count(truth, PHANTOM_NODULE, PHANTOM_SIDE_RIGHT);
  if (!f) {
    return NULL;
  }
  if (left + right == 1) {
    const char *size = f->large ? "large" : "small";
    return *f->zone ? g_strdup_printf("a %s nodule in the %s zone of the %s lung", size, f->zone,
                                      side_name(f->side))
                    : g_strdup_printf("a %s nodule in the %s lung", size, side_name(f->side));
  }
  if (left == 0 || right == 0) {
    return g_strdup_printf("%s nodules in the %s lung", numbers[left + right],
                           left ? "left" : "right");
  }
  return g_strdup_printf("%s nodules, %s in the right lung and %s in the left",
                         numbers[left + right], numbers[right], numbers[left]);
}

static char *
liver_phrase(const PhantomTruth *truth)
{
  guint cysts = phantom_count(truth, PHANTOM_LIVER_CYST, PHANTOM_SIDE_NONE);
  guint masses = phantom_count(truth, PHANTOM_LIVER_MASS, PHANTOM_SIDE_NONE);
  const PhantomFinding *f = first_of(truth, cysts ? PHANTOM_LIVER_CYST : PHANTOM_LIVER_MASS);
  if (!f) {
    return NULL;
  }
  if (cysts + masses == 1) {
    return g_strdup_printf("a %s %s in the liver", f->large ? "large" : "small",
                           cysts ? "cyst" : "mass");
  }
  return g_strdup_printf("%s %s in the liver", numbers[cysts + masses], cysts ? "cysts" : "masses");
}

/* The phrase of FINDING on its side; NULL when it is not there. */
static char *
sided_phrase(const PhantomTruth *truth, PhantomFindingKind kind)
{
  const PhantomFinding *f = first_of(truth, kind);
  if (!f) {
    return NULL;
  }
  if (kind == PHANTOM_EFFUSION) {
    return f->side == PHANTOM_SIDE_BOTH
               ? g_strdup("pleural effusions on both sides")
               : g_strdup_printf("a %s pleural effusion", side_name(f->side));
  }
  if (kind == PHANTOM_PACEMAKER) {
    return g_strdup_printf("a %s-sided pacemaker", side_name(f->side));
  }
  if (kind == PHANTOM_KIDNEY_STONE || kind == PHANTOM_KIDNEY_CYST) {
    return g_strdup_printf("a %s in the %s kidney", kind == PHANTOM_KIDNEY_STONE ? "stone" : "cyst",
                           side_name(f->side));
  }
  return g_strdup_printf("%s in the %s hemisphere",
                         kind == PHANTOM_HEMORRHAGE ? "a hemorrhage" : "an infarct",
                         side_name(f->side));
}

/* What is there, as noun phrases, and what is not, as whole sentences. */
typedef struct {
  GPtrArray *found, *absent; /* of char * */
} Findings;

static void
note(Findings *findings, char *phrase, const char *absent)
{
  if (phrase) {
    g_ptr_array_add(findings->found, phrase);
  } else {
    g_ptr_array_add(findings->absent, g_strdup(absent));
  }
}

static void
collect(const PhantomTruth *t, Findings *findings)
{
  findings->found = g_ptr_array_new_with_free_func(g_free);
  findings->absent = g_ptr_array_new_with_free_func(g_free);
  switch (t->kind) {
  case PHANTOM_CHEST_CR:
  case PHANTOM_CHEST_CT:
    note(findings, nodules_phrase(t), "No nodule is seen in the lungs.");
    note(findings, sided_phrase(t, PHANTOM_EFFUSION), "There is no pleural effusion.");
    if (t->kind == PHANTOM_CHEST_CR) {
      const PhantomFinding *effusion = first_of(t, PHANTOM_EFFUSION);
      if (!effusion || effusion->side != PHANTOM_SIDE_BOTH) {
        note(findings, t->heart_enlarged ? g_strdup("an enlarged heart") : NULL,
             "The heart is of normal size.");
      }
      note(findings, sided_phrase(t, PHANTOM_PACEMAKER), "There is no pacemaker.");
    }
    break;
  case PHANTOM_ABDOMEN_CT:
    note(findings, liver_phrase(t), "The liver has no lesion.");
    note(findings,
         sided_phrase(t, first_of(t, PHANTOM_KIDNEY_STONE) ? PHANTOM_KIDNEY_STONE
                                                           : PHANTOM_KIDNEY_CYST),
         "Both kidneys look normal.");
    break;
  case PHANTOM_HEAD_CT:
  default:
    note(findings, sided_phrase(t, PHANTOM_HEMORRHAGE), "There is no hemorrhage.");
    note(findings, sided_phrase(t, PHANTOM_INFARCT), "No infarct is seen.");
    note(findings, t->ventricles_enlarged ? g_strdup("enlarged ventricles") : NULL,
         "The ventricles are of normal size.");
  }
}

/* "a, b and c" */
static char *
join(GPtrArray *phrases)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < phrases->len; i++) {
    const char *between = i == 0 ? "" : i + 1 == phrases->len ? " and " : ", ";
    g_string_append(text, between);
    g_string_append(text, phrases->pdata[i]);
  }
  return g_string_free(text, FALSE);
}

static const char *const nouns[PHANTOM_N_KINDS][3] = {
    {"chest X-ray", "X-ray of the chest", "chest radiograph"},
    {"chest CT", "CT of the chest", "axial chest CT"},
    {"abdominal CT", "CT of the abdomen", "axial abdominal CT"},
    {"head CT", "CT of the head", "axial head CT"},
};

static char *
brief_caption(const PhantomTruth *truth, const Findings *findings, PhantomWords *words)
{
  static const char *const normal[] = {"Normal {noun}.", "{Noun} without abnormality.",
                                       "{Noun} with normal findings."};
  static const char *const abnormal[] = {"{Noun} with {list}.", "{Noun} showing {list}.",
                                         "{Noun}: {list}."};
  const char *noun = nouns[truth->kind][phantom_words_below(words, 3)];
  g_autofree char *capital = g_strdup(noun);
  capital[0] = g_ascii_toupper(capital[0]);
  g_autofree char *list = join(findings->found);
  const char *pairs[] = {"{noun}", noun, "{Noun}", capital, "{list}", list, NULL};
  guint which = phantom_words_below(words, 3);
  return phantom_words_fill(findings->found->len ? abnormal[which] : normal[which], pairs);
}

static void
append_sentence(GString *text, const char *sentence)
{
  if (text->len) {
    g_string_append_c(text, ' ');
  }
  g_string_append(text, sentence);
}

static char *
detailed_caption(const PhantomTruth *truth, const Findings *findings, PhantomWords *words)
{
  static const char *const opening[] = {"This is {a} {noun}.", "The image is {a} {noun}.",
                                        "The picture shows {a} {noun}."};
  static const char *const present[] = {"There is {thing}.", "The image shows {thing}.",
                                        "It shows {thing}."};
  static const char *const chest_end[] = {"The patient's right is on the left of the image.",
                                          "The ribs and the spine are seen on both sides.",
                                          "Nothing else of note is visible in this image."};
  static const char *const other_end[] = {"The patient's right is on the left of the image.",
                                          "The bones are bright and show no break.",
                                          "Nothing else of note is visible in this image."};
  const char *noun = nouns[truth->kind][phantom_words_below(words, 3)];
  const char *article = strchr("aX", noun[0]) ? "an" : "a";
  const char *head[] = {"{noun}", noun, "{a}", article, NULL};
  GString *text = g_string_new(NULL);
  g_autofree char *first = phantom_words_fill(opening[phantom_words_below(words, 3)], head);
  append_sentence(text, first);
  for (guint i = 0; i < findings->found->len; i++) {
    const char *thing = findings->found->pdata[i];
    /* "There is" goes with one thing only; the others go with any number. */
    gboolean one = g_str_has_prefix(thing, "a ") || g_str_has_prefix(thing, "an ");
    guint which = one ? phantom_words_below(words, 3) : 1 + phantom_words_below(words, 2);
    const char *pairs[] = {"{thing}", thing, NULL};
    g_autofree char *sentence = phantom_words_fill(present[which], pairs);
    append_sentence(text, sentence);
  }
  for (guint i = 0; i < findings->absent->len; i++) {
    append_sentence(text, findings->absent->pdata[i]);
  }
  gboolean chest = truth->kind == PHANTOM_CHEST_CR;
  guint start = phantom_words_below(words, 3);
  for (guint i = 0;
       i < 3 && model_prompt_words(text->str, text->len) < MODEL_PROMPT_THRESHOLD_WORDS; i++) {
    append_sentence(text, (chest ? chest_end : other_end)[(start + i) % 3]);
  }
  return g_string_free(text, FALSE);
}

char *
app_phantom_caption_of(const PhantomTruth *truth, gboolean detailed)
{
  PhantomWords words = phantom_words(truth->seed, truth->index, detailed ? 2 : 3);
  Findings findings;
  collect(truth, &findings);
  g_autoptr(GPtrArray) found = findings.found;
  g_autoptr(GPtrArray) absent = findings.absent;
  return detailed ? detailed_caption(truth, &findings, &words)
                  : brief_caption(truth, &findings, &words);
}

char *
app_phantom_caption(guint64 seed, guint64 index, gboolean detailed)
{
  PhantomTruth truth;
  phantom_truth(seed, index, &truth);
  return app_phantom_caption_of(&truth, detailed);
}
