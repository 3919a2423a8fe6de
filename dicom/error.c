/* error.c - the room's error domain. */
#include "dicom.h"

G_DEFINE_QUARK(hilum - dicom - error, dicom_error)
