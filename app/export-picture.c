/* export-picture.c - the picture that the model saw, for a document: the very one or none. */
#include <glib/gi18n.h>

#include "export-talk.h"
#include "slice-resample.h"

/* Pixels of a printed picture's longer side: 600 to the inch at the size that it has there. */
#define MOST_SIDE 1600u

static AppPaperPicture
reduce(const DicomPicture *from)
{
  const guint longer = MAX(from->width, from->height);
  const double step = longer > MOST_SIDE ? (double)longer / MOST_SIDE : 1;
  AppPaperPicture to = {.width = MAX(1, (guint)(from->width / step)),
                        .height = MAX(1, (guint)(from->height / step))};
  g_autoptr(AppTaps) x =
      app_taps_new(0, (double)from->width / to.width, to.width, from->width, TRUE);
  g_autoptr(AppTaps) y =
      app_taps_new(0, (double)from->height / to.height, to.height, from->height, TRUE);

  to.words = g_new(guint32, (gsize)to.width * to.height);
  app_resample(from->pixels, from->width, 3, x, y, FALSE, to.words);
  return to;
}

/* The message of an error names the file, and a path may name the patient. */
static char *
reason_of(const GError *failure, gboolean patient)
{
  return patient
             ? g_strdup_printf(_("The picture is not shown: %s"), failure->message)
             : g_strdup(_("The picture is not shown: its file is gone, or is no longer what was "
                          "asked about."));
}

static gboolean
may_name_patient(const AppShot *shot)
{
  const guint32 flags =
      1u << DICOM_GATE_BURNED_IN | 1u << DICOM_GATE_SECONDARY_CAPTURE | 1u << DICOM_GATE_NOT_DICOM;
  g_autoptr(DicomGate) gate = dicom_gate_judge(shot->info);

  return (gate->flags & flags) != 0;
}

AppExportPicture *
app_export_picture_new(const StoreImage *image, guint number, gboolean patient)
{
  AppExportPicture *picture = g_new0(AppExportPicture, 1);
  g_autoptr(GError) failure = NULL;
  g_autoptr(AppShot) shot = app_shot_again(image, number, &failure);

  if (!shot) {
    picture->why = reason_of(failure, patient);
  } else if (!patient && !image->blank && may_name_patient(shot)) {
    picture->why = g_strdup(_("The picture is left out: text in its pixels may name the patient."));
  } else {
    picture->width = shot->picture->width;
    picture->height = shot->picture->height;
    picture->picture = reduce(shot->picture);
  }
  return picture;
}

void
app_export_picture_free(AppExportPicture *picture)
{
  if (picture) {
    g_free(picture->picture.words);
    g_free(picture->why);
    g_free(picture);
  }
}
