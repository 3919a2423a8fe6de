/* dicom_gate.h - what an image is, before a question is put to a model that never saw such things.
 *
 * Judged only from what the header says, by rules that name the attribute; no tag, no judgement.
 */
#ifndef HILUM_DICOM_GATE_H
#define HILUM_DICOM_GATE_H

#include "dicom.h"

G_BEGIN_DECLS

typedef enum {
  DICOM_GATE_UNKNOWN_MODALITY, /* no Modality */
  DICOM_GATE_OTHER_MODALITY,   /* none of CR, DX, CT, MR ... that LLaVA-Med was trained on */
  DICOM_GATE_LOCALIZER,
  DICOM_GATE_SECONDARY_CAPTURE,
  DICOM_GATE_DERIVED,   /* ImageType DERIVED other than an original's reformat; dose sheets */
  DICOM_GATE_BURNED_IN, /* BurnedInAnnotation YES, or a kind that usually has it (US, SC) */
  DICOM_GATE_LOSSY,
  DICOM_GATE_NON_HUMAN, /* PatientSpecies..., breed, responsible person "OWNER" */
  DICOM_GATE_FOR_PROCESSING,
  DICOM_GATE_SEGMENTATION, /* labels, no picture */
  DICOM_GATE_NOT_DICOM,    /* JPEG or PNG: nothing is known of it */
} DicomGateFlag;

typedef struct {
  char *modality, *body_part, *view, *laterality; /* "" when the header does not say */
  guint32 flags;                                  /* 1 << DicomGateFlag */
  GPtrArray *warnings; /* of char *: one sentence for each flag, for people, no patient data */
} DicomGate;
DicomGate *dicom_gate_judge(const DicomInfo *info);
void dicom_gate_free(DicomGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomGate, dicom_gate_free)
/* "localizer", "secondary-capture" ... for JSON. Static. */
const char *dicom_gate_flag_name(DicomGateFlag flag);

/* Letters of the edges of FRAME: where the row and the column direction lead (PS3.3 C.7.6.1.1.1),
 * from its orientation in the patient, else from PatientOrientation; up to three letters each, ""
 * when the data say nothing. */
typedef struct {
  char left[4], right[4], top[4], bottom[4];
} DicomLetters;
DicomLetters dicom_info_letters(const DicomInfo *info, guint frame);

/* What a length in this image is worth: "patient" (millimetres in the patient: CT, MR, calibrated
 * projection, ultrasound region), "detector" (millimetres at the detector of a projection), "none".
 * Static. */
const char *dicom_info_calibration(const DicomInfo *info);

G_END_DECLS
#endif
