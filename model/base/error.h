/* error.h - filling a ModelError. */
#ifndef HILUM_MODEL_BASE_ERROR_H
#define HILUM_MODEL_BASE_ERROR_H

#include "model.h"

/* Fills *err (if not NULL) and returns false, so that `return model_fail(...)` reads well. */
__attribute__((format(printf, 3, 4), nonnull(3))) bool
model_fail(ModelError *err, ModelErrorCode code, const char *format, ...);
/* Puts PATH before the message of *err (if not NULL), for callees that know no file. Returns false.
 */
bool model_fail_in(const char *path, ModelError *err);

#endif
