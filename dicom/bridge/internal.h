// internal.h - what the bridge's own files share. C++.
#ifndef HILUM_DICOM_BRIDGE_INTERNAL_H
#define HILUM_DICOM_BRIDGE_INTERNAL_H

#include "dicom.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <exception>
#include <new>
#include <string>

// Silences DCMTK's log and loads its dictionary (some 10 ms), once per process, from any thread.
// Every entry calls it before anything else.
gboolean bridge_start(GError **error);
// Turns the exception that is being handled into a GError.
void bridge_caught(const char *name, GError **error);
gboolean bridge_fail(GError **error, DicomError code, const char *name, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

#endif
