/* talk-library.c - the images that a report is about, each once (PS3.16 TID 1600, 1601, 1602). */
#include "dicom/document/talk.h"

#define DCM(value, meaning)                                                                        \
  {                                                                                                \
    value, "DCM", meaning                                                                          \
  }

/* CID 29 as far as it is of images that a model is asked about; NULL: not among them. */
static const DicomCode *
code_of_modality(const char *modality)
{
  static const DicomCode codes[] = {
      DCM("CR", "Computed Radiography"),
      DCM("CT", "Computed Tomography"),
      DCM("DX", "Digital Radiography"),
      DCM("ES", "Endoscopy"),
      DCM("GM", "General Microscopy"),
      DCM("IO", "Intra-oral Radiography"),
      DCM("MG", "Mammography"),
      DCM("MR", "Magnetic Resonance"),
      DCM("NM", "Nuclear Medicine"),
      DCM("OP", "Ophthalmic Photography"),
      DCM("PT", "Positron emission tomography"),
      DCM("PX", "Panoramic X-Ray"),
      DCM("RF", "Radiofluoroscopy"),
      DCM("SM", "Slide Microscopy"),
      DCM("US", "Ultrasound"),
      DCM("XA", "X-Ray Angiography"),
      DCM("XC", "External-camera Photography"),
  };

  for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
    if (g_strcmp0(codes[i].value, modality) == 0) {
      return &codes[i];
    }
  }
  return NULL;
}

static void
put_entry(GByteArray *items, const DicomTalkImage *image)
{
  static const DicomCode name = DCM("121139", "Modality");
  const DicomCode *modality = code_of_modality(image->modality);
  DicomTalkImage whole = *image;
  DicomTalkNode node = {.relationship = "CONTAINS", .type = "IMAGE", .image = &whole};

  whole.frame = 0;
  if (modality) {
    node.children = g_byte_array_new();
    dicom_talk_put_code(node.children, "HAS ACQ CONTEXT", &name, modality);
  }
  dicom_talk_put_node(items, &node);
}

void
dicom_talk_put_library(GByteArray *items, const DicomTalkImage *images, gsize n)
{
  static const DicomCode library = DCM("111028", "Image Library"),
                         group = DCM("126200", "Image Library Group");
  GByteArray *groups = g_byte_array_new(), *entries = g_byte_array_new();

  for (gsize i = 0; i < n; i++) {
    put_entry(entries, &images[i]);
  }
  dicom_talk_put_node(groups, &(DicomTalkNode){.relationship = "CONTAINS",
                                               .type = "CONTAINER",
                                               .name = &group,
                                               .children = entries});
  dicom_talk_put_node(items, &(DicomTalkNode){.relationship = "CONTAINS",
                                              .type = "CONTAINER",
                                              .name = &library,
                                              .children = groups});
}
