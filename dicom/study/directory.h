/* directory.h - the files that a DICOMDIR names (PS3.10 8.5). Private to the room. */
#ifndef HILUM_DICOM_DIRECTORY_H
#define HILUM_DICOM_DIRECTORY_H

#include <glib.h>

/* What was learnt of folders, so that each is listed once. */
typedef struct _DicomDirectory DicomDirectory;
DicomDirectory *dicom_directory_new(void);
void dicom_directory_free(DicomDirectory *directory);

/* The path of NAME, with '/' between its parts, in the folder of the DICOMDIR at PATH: as it is
 * spelt, or with small letters or the ".;1" of ISO 9660, as discs have them. g_free(). NULL, and
 * *WHY (static), such as "is not there": it is not to be read. It never leaves the folder. */
char *dicom_directory_find(DicomDirectory *directory, const char *path, const char *name,
                           const char **why);
/* NAME in the folder of PATH, whether it is there or not. g_free(). */
char *dicom_directory_join(const char *path, const char *name);

#endif
