/* key-image.h - shared by key-image*.c. Not for others. */
#ifndef HILUM_APP_KEY_IMAGE_PRIVATE_H
#define HILUM_APP_KEY_IMAGE_PRIVATE_H

#include "study.h"

G_BEGIN_DECLS

gboolean app_document_is_key_object(const DicomDocument *document);

G_END_DECLS
#endif
