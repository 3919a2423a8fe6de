/* panels.h - what can be seen in a figure of an article: panels, letters, colours. Not for others.
 */
#ifndef HILUM_APP_PANELS_H
#define HILUM_APP_PANELS_H

#include "dicom.h"
#include "pmc.h"

/* Fills all but the tower's part of SEEN. Any thread. */
void app_panels_look(const DicomPicture *picture, PmcPicture *seen);

#endif
