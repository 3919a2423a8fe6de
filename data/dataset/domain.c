/* domain.c - the kinds of picture that LLaVA-Med tells apart, in the spellings that lists have. */
#include "dataset/domain.h"

#include <string.h>

/* Other spellings that pairs have. */
static const struct {
  const char *name;
  DataDomain domain;
} domain_names[] = {{"chest_xray", DATA_DOMAIN_CHEST_XRAY},
                    {"cxr", DATA_DOMAIN_CHEST_XRAY},
                    {"mri", DATA_DOMAIN_MRI},
                    {"mr", DATA_DOMAIN_MRI},
                    {"histology", DATA_DOMAIN_HISTOLOGY},
                    {"histopathology", DATA_DOMAIN_HISTOLOGY},
                    {"gross", DATA_DOMAIN_GROSS},
                    {"gross_pathology", DATA_DOMAIN_GROSS},
                    {"ct_scan", DATA_DOMAIN_CT_SCAN},
                    {"ct", DATA_DOMAIN_CT_SCAN}};

const char *
data_domain_name(DataDomain domain)
{
  static const char *const names[] = {"chest_xray", "mri", "histology", "gross", "ct_scan", "none"};
  return names[domain];
}

static DataDomain
domain_of_name(const char *name, gsize n)
{
  for (guint i = 0; i < G_N_ELEMENTS(domain_names); i++) {
    if (strlen(domain_names[i].name) == n &&
        g_ascii_strncasecmp(domain_names[i].name, name, n) == 0) {
      return domain_names[i].domain;
    }
  }
  return DATA_DOMAIN_NONE;
}

/* "ct_scan", or {"chest_xray": false, ..., "ct_scan": true}. */
DataDomain
data_domain_of(const DataValue *value)
{
  static const char *const names[] = {"chest_xray", "mri", "histology", "gross", "ct_scan", NULL};
  DataValue flags[DATA_N_DOMAINS];
  const char *why;
  gsize at;

  if (value->kind == DATA_VALUE_STRING) {
    return domain_of_name(value->text, value->n);
  }
  if (value->kind == DATA_VALUE_OTHER && *value->text == '{' &&
      data_scan(value->text, value->n, names, flags, &why, &at)) {
    for (guint i = 0; names[i]; i++) {
      if (flags[i].kind == DATA_VALUE_OTHER && *flags[i].text == 't') {
        return (DataDomain)i;
      }
    }
  }
  return DATA_DOMAIN_NONE;
}
