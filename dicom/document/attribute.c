/* attribute.c - the names of attributes (PS3.6). Apart from all others: what uses it loads DCMTK's
 * dictionary, which the decoding helper does not. */
#include "dicom/bridge/dictionary.h"
#include "dicom.h"

#include <string.h>

const char *
dicom_attribute_name(guint32 tag, char vr[3])
{
  const char *keyword;

  if (tag == 0xfffee000) {
    vr[0] = '\0';
    return "Item";
  }
  if (!dicom_bridge_attribute(tag, vr, &keyword)) {
    vr[0] = '\0';
    return "";
  }
  /* Of two that are possible, the one that most files have. */
  if (g_ascii_islower(vr[0])) {
    g_strlcpy(vr, strcmp(vr, "xs") == 0 ? "US" : "OW", 3);
  }
  return keyword;
}
