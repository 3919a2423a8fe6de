#include "checkpoint/roles.h"
#include "base/error.h"
bool
model_gguf_open(ModelCheckpoint *checkpoint, const ModelEngineOptions *options, ModelError *err)
{
  return model_fail(err, MODEL_ERROR_FORMAT, "%s: not a folder", checkpoint->path);
}
bool
model_mmproj_open(ModelCheckpoint *checkpoint, const char *path, ModelError *err)
{
  return model_fail(err, MODEL_ERROR_FORMAT, "%s: not read yet", path);
}
