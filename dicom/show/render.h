/* render.h - the stages of THE picture. Private to the room. */
#ifndef HILUM_DICOM_RENDER_H
#define HILUM_DICOM_RENDER_H

#include "dicom/frame.h"

/* LOW to black, HIGH to white. */
DicomWindow dicom_window_of_range(double low, double high);

/* WINDOW is a usable one: its numbers are finite, its table exists. */

/* A grey frame: width * height bytes to OUT. FALSE when memory is short. */
gboolean dicom_render_grey(const DicomFrame *frame, const DicomWindow *window, guint8 *out);
/* A colour frame: width * height * 3 bytes to OUT. */
void dicom_render_colour(const DicomFrame *frame, const DicomWindow *window, guint8 *out);

#endif
