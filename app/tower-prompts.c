/* tower-prompts.c - kinds of pictures by what may be said of them.
 *
 * A class is the mean of its prompts' directions, made one long again; every prompt is said as it
 * stands and as "this is a photo of ...", as BiomedCLIP was examined (arXiv 2303.00915). A picture
 * gets a softmax over the classes of its cosines times the checkpoint's own scale. Kinds that are
 * none of the five have classes of their own, so that a chart need not be the CT that is least
 * unlike it; their shares are added up, and the largest of them says what is seen instead.
 */
#include <math.h>
#include <string.h>

#include "tower-private.h"

static const struct {
  DataDomain domain;
  const char *name;        /* NULL: the domain's */
  const char *prompts[10]; /* ends with NULL */
} table[] = {
    {DATA_DOMAIN_CHEST_XRAY,
     NULL,
     {"a chest X-ray", "a frontal chest radiograph", "a posteroanterior radiograph of the chest",
      "a lateral chest X-ray", "a portable chest radiograph showing the lungs and the heart"}},
    {DATA_DOMAIN_MRI,
     NULL,
     {"an MRI scan", "a magnetic resonance image of the brain", "a T1-weighted MR image",
      "a T2-weighted MR image", "a sagittal MRI of the spine", "an MRI of the knee",
      "an MRI of the abdomen"}},
    {DATA_DOMAIN_HISTOLOGY,
     NULL,
     {"a histology slide stained with hematoxylin and eosin", "a photomicrograph of a biopsy",
      "a microscopic image of a tissue section", "histopathology of a tumor under the microscope",
      "an immunohistochemical stain of tissue"}},
    {DATA_DOMAIN_GROSS,
     NULL,
     {"a gross pathology specimen", "a photograph of a resected surgical specimen",
      "the cut surface of a resected tumor", "a macroscopic photograph of an organ at autopsy"}},
    {DATA_DOMAIN_CT_SCAN,
     NULL,
     {"a CT scan", "an axial CT scan of the abdomen", "a computed tomography image of the chest",
      "a CT of the head", "a coronal contrast-enhanced CT", "a CT scan in the lung window"}},
    {DATA_DOMAIN_NONE,
     "ultrasound",
     {"an ultrasound image", "a sonogram of the abdomen", "an echocardiogram",
      "a color Doppler ultrasound"}},
    {DATA_DOMAIN_NONE,
     "another radiograph",
     {"an X-ray of the knee", "a radiograph of the hand", "a pelvic radiograph",
      "a panoramic dental radiograph", "an abdominal X-ray", "a mammogram"}},
    {DATA_DOMAIN_NONE,
     "angiography",
     {"a digital subtraction angiogram", "a coronary angiogram", "a fluoroscopy image"}},
    {DATA_DOMAIN_NONE,
     "nuclear medicine",
     {"a PET scan", "a fused PET/CT image in color", "a bone scintigraphy", "a SPECT image"}},
    {DATA_DOMAIN_NONE,
     "three-dimensional rendering",
     {"a 3D volume rendering of a CT scan", "a three-dimensional reconstruction of bones"}},
    {DATA_DOMAIN_NONE,
     "endoscopy",
     {"an endoscopic image", "a colonoscopy image", "a bronchoscopy view", "a laparoscopic view"}},
    {DATA_DOMAIN_NONE,
     "eye",
     {"a fundus photograph", "an optical coherence tomography scan of the retina",
      "a slit lamp photograph of an eye"}},
    {DATA_DOMAIN_NONE,
     "person or skin",
     {"a clinical photograph of a patient", "a photograph of a face", "a photograph of a hand",
      "a photograph of a skin lesion", "a photograph inside the mouth"}},
    {DATA_DOMAIN_NONE,
     "operation",
     {"an intraoperative photograph", "a photograph of surgeons at an operation",
      "a photograph of a medical instrument"}},
    {DATA_DOMAIN_NONE,
     "electron micrograph",
     {"a transmission electron micrograph", "a scanning electron micrograph"}},
    {DATA_DOMAIN_NONE,
     "fluorescence micrograph",
     {"an immunofluorescence image on a black background", "a confocal microscopy image of cells",
      "a micrograph of cultured cells"}},
    {DATA_DOMAIN_NONE, "blot or gel", {"a Western blot", "a gel electrophoresis image"}},
    {DATA_DOMAIN_NONE,
     "chart",
     {"a bar chart", "a line graph", "a scatter plot", "Kaplan-Meier survival curves", "a box plot",
      "a heat map", "a pie chart"}},
    {DATA_DOMAIN_NONE,
     "diagram or drawing",
     {"a flow chart", "a schematic diagram", "an anatomical drawing", "a medical illustration",
      "a chemical structure", "a phylogenetic tree", "a geographic map"}},
    {DATA_DOMAIN_NONE,
     "curve of a device",
     {"an electrocardiogram", "an EEG recording", "a flow cytometry plot"}},
    {DATA_DOMAIN_NONE,
     "text or screen",
     {"a table of numbers", "a page of text", "a screenshot of a computer program",
      "an alignment of sequences"}},
};
static const char *const templates[] = {"%s", "this is a photo of %s"};

void
app_tower_class_clear(gpointer of)
{
  g_free(((AppTowerClass *)of)->direction);
}

/* TEMPLATE with PROMPT where it says "%s". */
static char *
say(const char *template, const char *prompt)
{
  g_auto(GStrv) parts = g_strsplit(template, "%s", 2);

  return g_strjoinv(prompt, parts);
}

static gboolean
add_prompt(AppTower *tower, const char *text, double *sum, GError **error)
{
  g_autofree float *direction = g_new(float, tower->width);
  ModelError failure;

  if (!model_clip_text(tower->clip, text, strlen(text), direction, &failure)) {
    app_error_from_model(error, &failure);
    return FALSE;
  }
  for (guint k = 0; k < tower->width; k++) {
    sum[k] += direction[k];
  }
  tower->n_prompts++;
  return TRUE;
}

static gboolean
add_class(AppTower *tower, guint i, GError **error)
{
  g_autofree double *sum = g_new0(double, tower->width);
  AppTowerClass class = {table[i].domain, table[i].name, NULL};
  double length = 0;

  for (guint p = 0; table[i].prompts[p]; p++) {
    for (guint t = 0; t < G_N_ELEMENTS(templates); t++) {
      g_autofree char *text = say(templates[t], table[i].prompts[p]);
      if (!add_prompt(tower, text, sum, error)) {
        return FALSE;
      }
    }
  }
  for (guint k = 0; k < tower->width; k++) {
    length += sum[k] * sum[k];
  }
  class.direction = g_new(float, tower->width);
  for (guint k = 0; k < tower->width; k++) {
    class.direction[k] = (float)(sum[k] / (sqrt(length) + 1e-12));
  }
  g_array_append_val(tower->classes, class);
  return TRUE;
}

gboolean
app_tower_prompt(AppTower *tower, GError **error)
{
  tower->classes = g_array_new(FALSE, FALSE, sizeof(AppTowerClass));
  g_array_set_clear_func(tower->classes, app_tower_class_clear);
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    if (!add_class(tower, i, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Shares of the classes, which add up to 1; g_free(). */
static double *
shares_of(const AppTower *tower, const float *features)
{
  const guint n = tower->classes->len;
  double *shares = g_new0(double, n), most = -G_MAXDOUBLE, sum = 0;

  for (guint i = 0; i < n; i++) {
    const float *direction = g_array_index(tower->classes, AppTowerClass, i).direction;
    for (guint k = 0; k < tower->width; k++) {
      shares[i] += (double)direction[k] * features[k];
    }
    shares[i] *= tower->scale;
    most = MAX(most, shares[i]);
  }
  for (guint i = 0; i < n; i++) {
    shares[i] = exp(shares[i] - most);
    sum += shares[i];
  }
  for (guint i = 0; i < n; i++) {
    shares[i] /= sum;
  }
  return shares;
}

void
app_tower_tell_by_prompts(const AppTower *tower, const float *features, PmcPicture *seen)
{
  g_autofree double *shares = shares_of(tower, features);
  double of[DATA_N_DOMAINS] = {0}, largest = -1;
  guint best = 0;
  const char *name = NULL;

  for (guint i = 0; i < tower->classes->len; i++) {
    const AppTowerClass *class = &g_array_index(tower->classes, AppTowerClass, i);
    of[class->domain] += shares[i];
    if (class->name && shares[i] > largest) {
      largest = shares[i];
      name = class->name;
    }
  }
  for (guint i = 1; i < DATA_N_DOMAINS; i++) {
    best = of[i] > of[best] ? i : best;
  }
  seen->tower = (gint)best;
  seen->tower_score = of[best];
  seen->tower_sees = best == DATA_DOMAIN_NONE ? name : NULL;
}
