// start.cc - starting DCMTK, and its exceptions.
#include "internal.h"

#include <dcmtk/oflog/oflog.h>

#include <cstdarg>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *init_failure = nullptr;

// DCMTK's compiled-in list of dictionaries is separated by colons; the first is the standard's.
static std::string
default_dictionary()
{
  const std::string list = DCM_DICT_DEFAULT_PATH;

  return list.substr(0, list.find(':'));
}

static void
start_dcmtk()
{
  try {
    // DCMTK's messages quote values of the file, patients' names among them.
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    if (!dcmDataDict.isDictionaryLoaded()) {
      // The environment may name a dictionary that is not there; DCMTK's own place is tried too.
      dcmDataDict.wrlock().loadDictionary(default_dictionary().c_str());
      dcmDataDict.wrunlock();
    }
    if (!dcmDataDict.isDictionaryLoaded()) {
      init_failure = "DCMTK's data dictionary is missing";
    }
  } catch (...) {
    init_failure = "DCMTK cannot start";
  }
}

gboolean
bridge_start(GError **error)
{
  pthread_once(&once, start_dcmtk);
  if (init_failure) {
    g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_IO, init_failure);
    return FALSE;
  }
  return TRUE;
}

gboolean
bridge_fail(GError **error, DicomError code, const char *name, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, DICOM_ERROR, code, "%s: %s", name, what);
  g_free(what);
  return FALSE;
}

void
bridge_caught(const char *name, GError **error)
{
  try {
    throw;
  } catch (const std::bad_alloc &) {
    bridge_fail(error, DICOM_ERROR_TOO_LARGE, name, "needs more memory than there is");
  } catch (const std::exception &e) {
    bridge_fail(error, DICOM_ERROR_CORRUPT, name, "DCMTK gave up: %s", e.what());
  } catch (...) {
    bridge_fail(error, DICOM_ERROR_CORRUPT, name, "DCMTK gave up");
  }
}
