// dictionary.cc - PS3.6 by tag and by UID.
#include "dictionary.h"

#include "internal.h"

#include <dcmtk/dcmdata/dcuid.h>

#include <cstring>

gboolean
dicom_bridge_attribute(guint32 tag, char vr[3], const char **keyword)
{
  gboolean found = FALSE;

  if (tag >> 16 & 1) {
    return FALSE;
  }
  if (!bridge_start(nullptr)) {
    return FALSE;
  }
  try {
    const DcmTagKey tag_key(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xffff));
    const DcmDataDictionary &dictionary = dcmDataDict.rdlock();
    const DcmDictEntry *entry = dictionary.findEntry(tag_key, nullptr);
    // "GENERIC" are group lengths and the like, "ILLEGAL" says it itself.
    if (entry && entry->getStandardVersion() &&
        g_str_has_prefix(entry->getStandardVersion(), "DICOM")) {
      const char *name = entry->getTagName();
      *keyword = g_str_has_prefix(name, "RETIRED_") ? name + 8 : name;
      g_strlcpy(vr, entry->getVR().getVRName(), 3);
      found = TRUE;
    }
    dcmDataDict.rdunlock();
  } catch (...) {
    bridge_caught("dictionary", nullptr);
  }
  return found;
}

gboolean
dicom_bridge_uid_is_standard(const char *uid)
{
  return g_str_has_prefix(uid, "1.2.840.10008.") && dcmFindNameOfUID(uid, nullptr) != nullptr;
}
