/* phantom-text.c - the truth of a phantom as questions and answers.
 *
 * Every question has one true answer that only the picture gives. A question is asked only where
 * its answer is beyond doubt: "which side?" of a single nodule, "what abnormality?" where there is
 * at most one.
 */
#include "phantom.h"

#include <string.h>

PhantomWords
phantom_words(guint64 seed, guint64 index, guint64 use)
{
  return (PhantomWords){(seed * 0x9e3779b97f4a7c15u) ^ (index * 0xd1342543de82ef95u) ^ (use << 56)};
}

guint
phantom_words_below(PhantomWords *words, guint n)
{
  guint64 z = (words->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (guint)(((z >> 32) * n) >> 32);
}

char *
phantom_words_fill(const char *pattern, const char *const *pairs)
{
  GString *text = g_string_new(pattern);
  for (guint i = 0; pairs[i]; i += 2) {
    g_string_replace(text, pairs[i], pairs[i + 1], 0);
  }
  return g_string_free(text, FALSE);
}

/* ---- words ----------------------------------------------------------------------------------- */

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* With and without an article; PLACES: what a side of the body is called here. */
typedef struct {
  const char *about;
  const char *const *with_article, *const *bare;
  const char *place;
} Thing;
static const Thing things[PHANTOM_N_FINDINGS] = {
    [PHANTOM_NODULE] = {"nodule", LIST("a nodule", "a lung nodule", "a pulmonary nodule"),
                        LIST("nodule", "lung nodule", "pulmonary nodule"), "lung"},
    [PHANTOM_EFFUSION] = {"effusion", LIST("a pleural effusion", "an effusion", "pleural fluid"),
                          LIST("pleural effusion", "effusion", "pleural fluid"), "chest"},
    [PHANTOM_PACEMAKER] = {"pacemaker",
                           LIST("a pacemaker", "a cardiac pacemaker", "a medical device"),
                           LIST("pacemaker", "cardiac pacemaker", "device"), "chest"},
    [PHANTOM_LIVER_CYST] = {"liver cyst",
                            LIST("a liver cyst", "a hepatic cyst", "a cyst in the liver"),
                            LIST("liver cyst", "hepatic cyst", "cyst"), "liver"},
    [PHANTOM_LIVER_MASS] = {"liver mass",
                            LIST("a liver mass", "a hepatic mass", "a mass in the liver"),
                            LIST("liver mass", "hepatic mass", "mass"), "liver"},
    [PHANTOM_KIDNEY_STONE] = {"kidney stone",
                              LIST("a kidney stone", "a renal stone", "a renal calculus"),
                              LIST("kidney stone", "renal stone", "stone"), "kidney"},
    [PHANTOM_KIDNEY_CYST] = {"kidney cyst", LIST("a kidney cyst", "a renal cyst"),
                             LIST("kidney cyst", "renal cyst"), "kidney"},
    [PHANTOM_HEMORRHAGE] = {"hemorrhage", LIST("a hemorrhage", "bleeding", "a brain hemorrhage"),
                            LIST("hemorrhage", "bleeding", "brain hemorrhage"), "hemisphere"},
    [PHANTOM_INFARCT] = {"infarct", LIST("an infarct", "an infarction", "a brain infarct"),
                         LIST("infarct", "infarction", "brain infarct"), "hemisphere"},
};

static const char *const answers_closed[] = {"Yes", "No"};
static const char *const answers_modality[] = {"CT", "X-ray"};
static const char *const answers_region[] = {"Chest", "Abdomen", "Head"};
static const char *const answers_side[] = {"Left", "Right", "Both"};
static const char *const answers_count[] = {"None", "One", "Two", "Three"};
static const char *const answers_zone[] = {"Upper", "Middle", "Lower"};
static const char *const answers_size[] = {"Small", "Large"};
static const char *const answers_chest_cr[] = {"None", "Nodule", "Pleural effusion",
                                               "Enlarged heart"};
static const char *const answers_chest_ct[] = {"None", "Nodule", "Pleural effusion"};
static const char *const answers_abdomen[] = {"None", "Liver cyst", "Liver mass", "Kidney stone",
                                              "Kidney cyst"};
static const char *const answers_head[] = {"None", "Hemorrhage", "Infarct", "Enlarged ventricles"};

static const char *const presence[] = {"Is there {a}?",
                                       "Is {a} present?",
                                       "Does the image show {a}?",
                                       "Can you see {a}?",
                                       "Is {a} visible in this image?",
                                       "Is there any evidence of {a}?",
                                       NULL};
static const char *const side_presence[] = {
    "Is there {a} on the {side}?",       "Is {a} seen on the {side} side?",
    "Does the {side} {place} show {a}?", "Does the {side} side show {a}?",
    "Can you see {a} on the {side}?",    NULL};
static const char *const side_open[] = {
    "Which side is the {n} on?",    "On which side is the {n}?",
    "What side is the {n} on?",     "On which side can the {n} be seen?",
    "Which {place} shows the {n}?", NULL};
static const char *const side_open_chest[] = {"Which side is the {n} on?",
                                              "On which side is the {n}?",
                                              "What side is the {n} on?",
                                              "On which side can the {n} be seen?",
                                              "Which side of the chest shows the {n}?",
                                              NULL};
static const char *const count_nodules[] = {
    "How many nodules are there?",    "How many lung nodules can you see?", "Count the nodules.",
    "What is the number of nodules?", "How many nodules are visible?",      NULL};
static const char *const count_lesions[] = {
    "How many liver lesions are there?",     "How many lesions can you see in the liver?",
    "Count the lesions in the liver.",       "What is the number of liver lesions?",
    "How many lesions does the liver have?", NULL};
static const char *const zone_texts[] = {"Which zone is the nodule in?",
                                         "In which lung zone is the nodule?",
                                         "Is the nodule in the upper, middle or lower zone?",
                                         "What zone of the lung shows the nodule?",
                                         "At which level is the nodule?",
                                         NULL};
static const char *const size_texts[] = {
    "How big is the {n}?",          "What size is the {n}?", "Is the {n} small or large?",
    "What is the size of the {n}?", "How large is the {n}?", NULL};
static const char *const abnormality_texts[] = {"What abnormality is seen?",
                                                "What is abnormal in this image?",
                                                "What is the abnormality?",
                                                "Which abnormality does the image show?",
                                                "What is wrong in this image?",
                                                "Name the abnormality.",
                                                NULL};
static const char *const heart_texts[] = {"Is the heart enlarged?",
                                          "Is there cardiomegaly?",
                                          "Is the heart too big?",
                                          "Does the image show an enlarged heart?",
                                          "Is the cardiac silhouette enlarged?",
                                          NULL};
static const char *const ventricle_texts[] = {
    "Are the ventricles enlarged?",      "Are the ventricles dilated?",
    "Are the ventricles too big?",       "Does the image show enlarged ventricles?",
    "Is there ventricular enlargement?", NULL};
static const char *const modality_texts[] = {
    "What modality is this?",      "What imaging modality was used?",
    "What kind of image is this?", "Which imaging technique is this?",
    "How was this image taken?",   NULL};
static const char *const is_ct_texts[] = {"Is this a CT image?", "Is this a CT scan?",
                                          "Was this image taken by CT?",
                                          "Is this computed tomography?", NULL};
static const char *const is_xray_texts[] = {"Is this an X-ray?", "Is this a plain film?",
                                            "Is this an X-ray image?", "Is this a radiograph?",
                                            NULL};
static const char *const region_texts[] = {"Which body region is shown?",
                                           "What part of the body is this?",
                                           "Which part of the body was imaged?",
                                           "What region does the image show?",
                                           "What body part is seen?",
                                           NULL};
static const char *const is_region_texts[] = {
    "Is this an image of the {region}?", "Does the image show the {region}?",
    "Is this the {region}?", "Is the {region} shown here?", NULL};

/* ---- questions ------------------------------------------------------------------------------- */

typedef struct {
  const PhantomTruth *truth;
  PhantomWords words;
  GPtrArray *questions;
} Asking;

static const char *
pick(Asking *asking, const char *const *texts)
{
  guint n = 0;
  while (texts[n]) {
    n++;
  }
  return texts[phantom_words_below(&asking->words, n)];
}

void
app_phantom_question_free(AppPhantomQuestion *question)
{
  if (question) {
    g_free(question->question);
    g_free(question);
  }
}

/* DETAIL makes the key; a key is per kind of picture unless GLOBAL. Takes TEXT. */
static void
ask(Asking *asking, const char *kind, const char *about, const char *detail, gboolean global,
    const char *const *answers, guint n_answers, guint answer, char *text)
{
  g_assert(answer < n_answers);
  AppPhantomQuestion *q = g_new0(AppPhantomQuestion, 1);
  q->kind = kind;
  q->about = about;
  q->closed = answers == answers_closed;
  q->answers = answers;
  q->n_answers = n_answers;
  q->answer = answer;
  q->question = text;
  const char *where = global ? "all" : phantom_kind_name(asking->truth->kind);
  g_snprintf(q->key, sizeof q->key, "%s/%s/%s/%s", kind, about, detail, where);
  g_ptr_array_add(asking->questions, q);
}

static void
ask_closed(Asking *asking, const char *kind, const char *about, const char *detail, gboolean global,
           gboolean yes, char *text)
{
  ask(asking, kind, about, detail, global, answers_closed, 2, yes ? 0 : 1, text);
}

static void
ask_basics(Asking *asking)
{
  const PhantomTruth *t = asking->truth;
  gboolean ct = t->kind != PHANTOM_CHEST_CR;
  guint region = t->kind == PHANTOM_HEAD_CT ? 2 : t->kind == PHANTOM_ABDOMEN_CT ? 1 : 0;
  static const char *const names[] = {"chest", "abdomen", "head"};
  ask(asking, "modality", "modality", "", TRUE, answers_modality, 2, ct ? 0 : 1,
      g_strdup(pick(asking, modality_texts)));
  ask_closed(asking, "modality-closed", "modality", "ct", TRUE, ct,
             g_strdup(pick(asking, is_ct_texts)));
  ask_closed(asking, "modality-closed", "modality", "xray", TRUE, !ct,
             g_strdup(pick(asking, is_xray_texts)));
  ask(asking, "region", "region", "", TRUE, answers_region, 3, region,
      g_strdup(pick(asking, region_texts)));
  for (guint i = 0; i < 3; i++) {
    const char *pairs[] = {"{region}", names[i], NULL};
    ask_closed(asking, "region-closed", "region", names[i], TRUE, i == region,
               phantom_words_fill(pick(asking, is_region_texts), pairs));
  }
}

static void
ask_presence(Asking *asking, PhantomFindingKind kind, const char *report)
{
  const Thing *thing = &things[kind];
  const char *pairs[] = {"{a}", pick(asking, thing->with_article), NULL};
  ask_closed(asking, report, thing->about, "", FALSE,
             phantom_count(asking->truth, kind, PHANTOM_SIDE_NONE) > 0,
             phantom_words_fill(pick(asking, presence), pairs));
}

static void
ask_side_presence(Asking *asking, PhantomFindingKind kind)
{
  const Thing *thing = &things[kind];
  static const char *const names[] = {"left", "right"};
  for (guint i = 0; i < 2; i++) {
    const char *pairs[] = {
        "{a}", pick(asking, thing->with_article), "{side}", names[i], "{place}", thing->place,
        NULL};
    ask_closed(asking, "side-presence", thing->about, names[i], FALSE,
               phantom_count(asking->truth, kind, (PhantomSide)(PHANTOM_SIDE_LEFT + i)) > 0,
               phantom_words_fill(pick(asking, side_presence), pairs));
  }
}

/* Of a single finding only. */
static void
ask_side(Asking *asking, PhantomFindingKind kind)
{
  const Thing *thing = &things[kind];
  const PhantomTruth *t = asking->truth;
  if (phantom_count(t, kind, PHANTOM_SIDE_NONE) != 1) {
    return;
  }
  PhantomSide side = PHANTOM_SIDE_NONE;
  for (guint i = 0; i < t->n_findings; i++) {
    side = t->findings[i].kind == kind ? t->findings[i].side : side;
  }
  gboolean chest = kind == PHANTOM_EFFUSION || kind == PHANTOM_PACEMAKER;
  const char *pairs[] = {"{n}", pick(asking, thing->bare), "{place}", thing->place, NULL};
  ask(asking, "side", thing->about, "", FALSE, answers_side, kind == PHANTOM_EFFUSION ? 3 : 2,
      (guint)(side - PHANTOM_SIDE_LEFT),
      phantom_words_fill(pick(asking, chest ? side_open_chest : side_open), pairs));
}

static const PhantomFinding *
find_single(const PhantomTruth *truth, PhantomFindingKind kind)
{
  const PhantomFinding *found = NULL;
  for (guint i = 0; i < truth->n_findings; i++) {
    if (truth->findings[i].kind == kind) {
      if (found) {
        return NULL;
      }
      found = &truth->findings[i];
    }
  }
  return found;
}

static void
ask_size(Asking *asking, PhantomFindingKind kind)
{
  const PhantomFinding *f = find_single(asking->truth, kind);
  if (f) {
    const char *pairs[] = {"{n}", pick(asking, things[kind].bare), NULL};
    ask(asking, "size", things[kind].about, "", FALSE, answers_size, 2, f->large ? 1 : 0,
        phantom_words_fill(pick(asking, size_texts), pairs));
  }
}

static void
ask_zone(Asking *asking)
{
  const PhantomFinding *f = find_single(asking->truth, PHANTOM_NODULE);
  if (f) {
    guint zone = strcmp(f->zone, "upper") == 0 ? 0 : strcmp(f->zone, "middle") == 0 ? 1 : 2;
    ask(asking, "zone", "nodule", "", FALSE, answers_zone, 3, zone,
        g_strdup(pick(asking, zone_texts)));
  }
}

static void
ask_count(Asking *asking, const char *about, const char *const *texts, guint n)
{
  ask(asking, "count", about, "", FALSE, answers_count, 4, n, g_strdup(pick(asking, texts)));
}

/* Asked where at most one of the kind's abnormalities is there. HAS follows the order of ANSWERS,
 * without its first, "None". */
static void
ask_abnormality(Asking *asking, const char *const *answers, const gboolean *has, guint n)
{
  guint answer = 0, found = 0;
  for (guint i = 0; i < n; i++) {
    found += has[i] != 0;
    answer = has[i] ? i + 1 : answer;
  }
  if (found <= 1) {
    ask(asking, "abnormality", "abnormality", "", FALSE, answers, n + 1, answer,
        g_strdup(pick(asking, abnormality_texts)));
  }
}

static void
ask_chest(Asking *asking)
{
  const PhantomTruth *t = asking->truth;
  guint nodules = phantom_count(t, PHANTOM_NODULE, PHANTOM_SIDE_NONE);
  gboolean effusion = phantom_count(t, PHANTOM_EFFUSION, PHANTOM_SIDE_NONE) > 0;
  gboolean has[3] = {nodules > 0, effusion, t->heart_enlarged};
  ask_presence(asking, PHANTOM_NODULE, "presence");
  ask_side_presence(asking, PHANTOM_NODULE);
  ask_side(asking, PHANTOM_NODULE);
  ask_count(asking, "nodule", count_nodules, nodules);
  ask_size(asking, PHANTOM_NODULE);
  ask_presence(asking, PHANTOM_EFFUSION, "presence");
  ask_side_presence(asking, PHANTOM_EFFUSION);
  ask_side(asking, PHANTOM_EFFUSION);
  if (t->kind == PHANTOM_CHEST_CT) {
    ask_abnormality(asking, answers_chest_ct, has, 2);
    return;
  }
  ask_abnormality(asking, answers_chest_cr, has, 3);
  ask_zone(asking);
  ask_presence(asking, PHANTOM_PACEMAKER, "device");
  ask_side(asking, PHANTOM_PACEMAKER);
  /* Fluid on both sides hides the heart. */
  if (phantom_count(t, PHANTOM_EFFUSION, PHANTOM_SIDE_LEFT) == 0 ||
      phantom_count(t, PHANTOM_EFFUSION, PHANTOM_SIDE_RIGHT) == 0) {
    ask_closed(asking, "enlarged", "heart", "", FALSE, t->heart_enlarged,
               g_strdup(pick(asking, heart_texts)));
  }
}

static void
ask_abdomen(Asking *asking)
{
  static const PhantomFindingKind order[4] = {PHANTOM_LIVER_CYST, PHANTOM_LIVER_MASS,
                                              PHANTOM_KIDNEY_STONE, PHANTOM_KIDNEY_CYST};
  gboolean has[4];
  for (guint i = 0; i < 4; i++) {
    has[i] = phantom_count(asking->truth, order[i], PHANTOM_SIDE_NONE) > 0;
    ask_presence(asking, order[i], "presence");
    if (i < 2) {
      ask_size(asking, order[i]);
    } else {
      ask_side_presence(asking, order[i]);
      ask_side(asking, order[i]);
    }
  }
  ask_count(asking, "liver lesion", count_lesions,
            phantom_count(asking->truth, PHANTOM_LIVER_CYST, PHANTOM_SIDE_NONE) +
                phantom_count(asking->truth, PHANTOM_LIVER_MASS, PHANTOM_SIDE_NONE));
  ask_abnormality(asking, answers_abdomen, has, 4);
}

static void
ask_head(Asking *asking)
{
  static const PhantomFindingKind order[2] = {PHANTOM_HEMORRHAGE, PHANTOM_INFARCT};
  gboolean has[3] = {FALSE, FALSE, asking->truth->ventricles_enlarged};
  for (guint i = 0; i < 2; i++) {
    has[i] = phantom_count(asking->truth, order[i], PHANTOM_SIDE_NONE) > 0;
    ask_presence(asking, order[i], "presence");
    ask_side_presence(asking, order[i]);
    ask_side(asking, order[i]);
  }
  ask_closed(asking, "enlarged", "ventricles", "", FALSE, has[2],
             g_strdup(pick(asking, ventricle_texts)));
  ask_abnormality(asking, answers_head, has, 3);
}

GPtrArray *
app_phantom_questions_of(const PhantomTruth *truth)
{
  Asking asking = {.truth = truth, .words = phantom_words(truth->seed, truth->index, 1)};
  asking.questions = g_ptr_array_new_with_free_func((GDestroyNotify)app_phantom_question_free);
  ask_basics(&asking);
  switch (truth->kind) {
  case PHANTOM_CHEST_CR:
  case PHANTOM_CHEST_CT:
    ask_chest(&asking);
    break;
  case PHANTOM_ABDOMEN_CT:
    ask_abdomen(&asking);
    break;
  case PHANTOM_HEAD_CT:
  default:
    ask_head(&asking);
  }
  return asking.questions;
}

GPtrArray *
app_phantom_questions(guint64 seed, guint64 index)
{
  PhantomTruth truth;
  phantom_truth(seed, index, &truth);
  return app_phantom_questions_of(&truth);
}
