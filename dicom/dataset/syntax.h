/* syntax.h - the transfer syntaxes of PS3.6 table A-1: how they encode, and whether we read them.
 */
#ifndef HILUM_DICOM_SYNTAX_H
#define HILUM_DICOM_SYNTAX_H

#include <glib.h>

typedef struct {
  const char *uid, *name;
  gboolean explicit_vr, big_endian, deflated, encapsulated;
  gboolean readable; /* decoded by this version */
  gboolean lossy;    /* always lossy; FALSE where the syntax allows both */
  const char *why;   /* not readable: the rest of the sentence for people */
} DicomSyntax;

#define DICOM_SYNTAX_IMPLICIT "1.2.840.10008.1.2"
#define DICOM_SYNTAX_EXPLICIT "1.2.840.10008.1.2.1"
#define DICOM_SYNTAX_BIG_ENDIAN "1.2.840.10008.1.2.2"
#define DICOM_SYNTAX_DEFLATED "1.2.840.10008.1.2.1.99"
#define DICOM_SYNTAX_RLE "1.2.840.10008.1.2.5"
#define DICOM_SYNTAX_JPEGLS "1.2.840.10008.1.2.4.80"
#define DICOM_SYNTAX_JPEGLS_NEAR "1.2.840.10008.1.2.4.81"

/* NULL when UID is not in the table (private or newer than this program). */
const DicomSyntax *dicom_syntax_find(const char *uid);
/* For a message, after "FILE: ": which transfer syntax UID is, why it is not read, and what to do.
 * g_free(). */
char *dicom_syntax_refusal(const char *uid);

#endif
