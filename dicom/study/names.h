/* names.h - paths and file names as this room compares and shows them. Private to the room. */
#ifndef HILUM_DICOM_NAMES_H
#define HILUM_DICOM_NAMES_H

#include <glib.h>

/* As people count: "im2" before "im10", and what lies in a folder together. The same in every
 * locale, 0 for equal names alone. */
gint dicom_compare_names(const char *a, const char *b);
/* For g_ptr_array_sort() of char *. */
gint dicom_compare_name_pointers(gconstpointer a, gconstpointer b);
/* Resolved like realpath(), or only made absolute when there is no such file. g_free(). */
char *dicom_canonical_path(const char *path);
/* Whether PATH lies below FOLDER; both canonical. */
gboolean dicom_path_is_below(const char *path, const char *folder);

#endif
