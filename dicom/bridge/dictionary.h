/* dictionary.h - PS3.6 by tag and by UID, from DCMTK's dictionary. Private to the dicom room. */
#ifndef HILUM_DICOM_BRIDGE_DICTIONARY_H
#define HILUM_DICOM_BRIDGE_DICTIONARY_H

#include <glib.h>

G_BEGIN_DECLS

/* The VR and the keyword of a standard attribute; FALSE when the standard has none of this TAG, or
 * when it is private. VR is what PS3.6 says, "xs" for "US or SS" and "ox" for "OB or OW". KEYWORD
 * lives as long as the program. */
gboolean dicom_bridge_attribute(guint32 tag, char vr[3], const char **keyword);
/* Whether the standard itself defines UID. */
gboolean dicom_bridge_uid_is_standard(const char *uid);

G_END_DECLS

#endif
