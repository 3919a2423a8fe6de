/* suggestions.c - which questions suit which image.
 *
 * LLaVA-Med was trained on figures of papers (chest X-ray, CT, MR, histology, gross pathology) and
 * on VQA-RAD and SLAKE, whose questions are of these kinds: modality and plane, is it normal, where
 * is it, how large, what organ. The table keeps to them; the first that fits counts, so what is
 * narrow stands before what is wide.
 *
 * The model reads English. What is shown is what is sent, and other languages say beside it what it
 * means.
 */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/question.h"

typedef struct {
  const char *modalities; /* of DICOM's Modality (0008,0060), each in spaces; NULL: any */
  const char *parts;      /* of Body Part Examined (0018,0015), each in spaces; NULL: any */
  const char *questions[6];
} Suggestions;

static const Suggestions table[] = {
    {" CR DX RG XR ",
     " CHEST LUNG THORAX ",
     {N_("Is this chest X-ray normal?"), N_("Is there a pneumothorax?"),
      N_("Is there a pleural effusion? On which side?"), N_("Is the heart enlarged?"),
      N_("Are there opacities in the lungs? Where?")}},
    {" CR DX RG XR MG ",
     NULL,
     {N_("Is there a fracture?"), N_("Is the alignment of the bones normal?"),
      N_("Is the soft tissue swollen?"), N_("What does this X-ray show?")}},
    {" CT ",
     " HEAD BRAIN SKULL ",
     {N_("Is there a haemorrhage?"), N_("Is the midline shifted?"),
      N_("Are the ventricles enlarged?"), N_("Is there a sign of an infarct? Where?")}},
    {" CT ",
     " ABDOMEN PELVIS LIVER KIDNEY ",
     {N_("Which organs are to be seen?"), N_("Is there a lesion in the liver?"),
      N_("Is there free fluid?"), N_("Are the kidneys normal?"), N_("Is the bowel dilated?")}},
    {" CT ",
     " CHEST LUNG THORAX ",
     {N_("Is there a nodule or a mass in the lungs? Where?"), N_("Is there a pleural effusion?"),
      N_("Are the lymph nodes of the mediastinum enlarged?"), N_("Is there emphysema?")}},
    {" CT ",
     NULL,
     {N_("Which part of the body is this?"), N_("Which organs are to be seen?"),
      N_("Is anything abnormal? Where?"), N_("Was contrast medium given?")}},
    {" MR ",
     " HEAD BRAIN SKULL ",
     {N_("Which sequence and plane is this?"), N_("Is there a mass? Where?"),
      N_("Are there lesions of the white matter?"), N_("Are the ventricles enlarged?")}},
    {" MR ",
     NULL,
     {N_("Which sequence and plane is this?"), N_("Which part of the body is this?"),
      N_("Is anything abnormal? Where?"), N_("Is the signal of the lesion high or low?")}},
    {" US ",
     NULL,
     {N_("Which organ is this?"), N_("Is there a mass or a cyst?"), N_("Is there free fluid?"),
      N_("Is the echo texture normal?")}},
    {" PT NM ",
     NULL,
     {N_("Where is the uptake raised?"), N_("Which organs take up the tracer normally?")}},
    {NULL,
     NULL,
     {N_("What kind of image is this?"), N_("Which part of the body is this?"),
      N_("Is anything abnormal? Where?")}}};

static const char *const comparing[] = {N_("What is different between the images?"),
                                        N_("Is the finding larger or smaller than before?"),
                                        N_("Is there a new finding?"), NULL};

static gboolean
is_among(const char *words, const char *word)
{
  g_autofree char *spaced = NULL, *upper = NULL;

  if (!words) {
    return TRUE;
  }
  upper = g_ascii_strup(word, -1);
  spaced = g_strdup_printf(" %s ", g_strstrip(upper));
  return *upper && strstr(words, spaced) != NULL;
}

const char *const *
desktop_question_suggestions(const char *modality, const char *body_part, gboolean several)
{
  if (several) {
    return comparing;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
    if (is_among(table[i].modalities, modality) && is_among(table[i].parts, body_part)) {
      return table[i].questions;
    }
  }
  g_return_val_if_reached(comparing);
}
