/* error.c - the errors of this room, and of model, as GErrors. */
#include "private.h"

GQuark
app_error_quark(void)
{
  return g_quark_from_static_string("hilum-app-error");
}

const char *
app_version(void)
{
  return HILUM_VERSION;
}

gboolean
app_error_from_model(GError **error, const ModelError *from)
{
  AppError code = APP_ERROR_MODEL;

  if (from->code == MODEL_ERROR_CANCELLED) {
    code = APP_ERROR_CANCELLED;
  } else if (from->code == MODEL_ERROR_ARGUMENT) {
    code = APP_ERROR_ARGUMENT;
  }
  g_set_error_literal(error, APP_ERROR, code, from->message);
  return FALSE;
}
