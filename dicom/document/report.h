/* report.h - values of content items as words. Private to report*.c and the tests.
 *
 * What these append is text as the file has it; report.c makes it harmless when it writes lines. */
#ifndef HILUM_DICOM_REPORT_H
#define HILUM_DICOM_REPORT_H

#include "dicom/dataset/dataset.h"

/* The value of a content item (PS3.3 table C.17.3-8 and C.18); what of it is missing is said. */
void dicom_report_value(GString *line, const DicomItem *item);
/* The meaning of the first code of SEQUENCE, or else its scheme and value; "" when there is none.
 * g_free(). */
char *dicom_report_meaning(const DicomItem *item, guint32 sequence);
/* What stands in the place of a concept name: "Image" for an IMAGE; "" where the value says it. */
const char *dicom_report_noun(const char *value_type);

/* DA, TM and DT as ISO 8601 writes them, with a blank for its T; anything else as it is. */
void dicom_report_date(GString *line, const char *text);
void dicom_report_time(GString *line, const char *text);
void dicom_report_date_time(GString *line, const char *text);
/* "Family, Given Middle, Prefix, Suffix", and the other ways to write it in brackets. */
void dicom_report_person(GString *line, const char *text);

#endif
