/* dcmtk-peer.cc - DCMTK's end of the image benchmarks: the same requests as bench-images.c, done
 * with DCMTK's library in a loop, the way its documentation shows. A program of its own, because
 * what is measured must not share a process, or a symbol, with what it is measured against. */
#include "image-worker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmimage/diregist.h"
#include "dcmtk/dcmimgle/dcmimage.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/oflog/oflog.h"

/* Values longer than this stay on disk until they are asked for. */
static const Uint32 kMaxInMemory = 4096;

struct Values {
  Uint16 rows = 0, columns = 0, samples = 1, bits = 0, planar = 0;
  long frames = 1;
  const Uint8 *bytes = NULL; /* in the machine's byte order; owned by the file */
  size_t n = 0;
};

static bool
load(DcmFileFormat &file, const char *path)
{
  return file.loadFile(path, EXS_Unknown, EGL_noChange, kMaxInMemory).good();
}

/* The stored values of all frames, decoded, in memory. */
static bool
decode(DcmFileFormat &file, const char *path, Values &values)
{
  if (!load(file, path)) {
    return false;
  }
  DcmDataset *dataset = file.getDataset();
  DcmElement *pixels = NULL;
  if (dataset->chooseRepresentation(EXS_LittleEndianExplicit, NULL).bad() ||
      dataset->findAndGetElement(DCM_PixelData, pixels).bad() || !pixels) {
    return false;
  }
  Sint32 frames = 1;
  dataset->findAndGetUint16(DCM_Rows, values.rows);
  dataset->findAndGetUint16(DCM_Columns, values.columns);
  dataset->findAndGetUint16(DCM_SamplesPerPixel, values.samples);
  dataset->findAndGetUint16(DCM_BitsAllocated, values.bits);
  dataset->findAndGetUint16(DCM_PlanarConfiguration, values.planar);
  if (dataset->findAndGetSint32(DCM_NumberOfFrames, frames).good()) {
    values.frames = frames;
  }
  values.n = (size_t)values.rows * values.columns * values.samples * (values.bits / 8u) *
             (size_t)values.frames;
  if (values.bits > 8) {
    Uint16 *words = NULL;
    if (pixels->getUint16Array(words).bad() || !words) {
      return false;
    }
    values.bytes = reinterpret_cast<const Uint8 *>(words);
  } else {
    Uint8 *bytes = NULL;
    if (pixels->getUint8Array(bytes).bad() || !bytes) {
      return false;
    }
    values.bytes = bytes;
  }
  return pixels->getLength() >= values.n;
}

/* ---- verifying ------------------------------------------------------------------------------- */

/* Samples next to each other, as ours come. */
static std::string
interleaved(const Values &values)
{
  std::string out(reinterpret_cast<const char *>(values.bytes), values.n);
  const size_t bytes = values.bits / 8u, pixels = (size_t)values.rows * values.columns;
  const size_t frame = pixels * values.samples * bytes;

  if (values.samples > 1 && values.planar == 1) {
    for (size_t f = 0; f < (size_t)values.frames; f++) {
      for (size_t i = 0; i < pixels; i++) {
        for (size_t s = 0; s < values.samples; s++) {
          memcpy(&out[f * frame + (i * values.samples + s) * bytes],
                 values.bytes + f * frame + (s * pixels + i) * bytes, bytes);
        }
      }
    }
  }
  return out;
}

static bool
do_stored(const WorkerRequest *request, const WorkerList *list)
{
  FILE *out = fopen(request->words[2], "wb");
  bool ok = out != NULL;

  for (size_t i = 0; i < list->n && ok; i++) {
    DcmFileFormat file;
    Values values;

    ok = decode(file, list->paths[i], values);
    if (ok) {
      const std::string bytes = interleaved(values);

      ok = fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
    }
  }
  ok = out && fclose(out) == 0 && ok;
  if (ok) {
    worker_done("");
  }
  return ok;
}

static double
number(const char *word)
{
  return strtod(word, NULL);
}

static bool
do_grey(const WorkerRequest *request, const WorkerList *list)
{
  FILE *out = fopen(request->words[2], "wb");
  bool ok = out != NULL;

  for (size_t i = 0; i < list->n && ok; i++) {
    DicomImage image(list->paths[i], 0, 0, 1);

    ok = image.getStatus() == EIS_Normal &&
         image.setWindow(number(request->words[4]), number(request->words[5]));
    const unsigned long n = ok ? image.getOutputDataSize(8) : 0;
    const void *grey = ok ? image.getOutputData(8) : NULL;
    ok = grey && fwrite(grey, 1, n, out) == n;
  }
  ok = out && fclose(out) == 0 && ok;
  if (ok) {
    worker_done("");
  }
  return ok;
}

/* ---- measuring ------------------------------------------------------------------------------- */

/* What a list of series needs to know of an image. */
static bool
read_header(const char *path, double *along)
{
  static const DcmTagKey keys[] = {DCM_SOPClassUID,      DCM_SOPInstanceUID,
                                   DCM_StudyInstanceUID, DCM_SeriesInstanceUID,
                                   DCM_Modality,         DCM_PatientName,
                                   DCM_PatientID,        DCM_StudyDate,
                                   DCM_StudyDescription, DCM_SeriesDescription,
                                   DCM_SeriesNumber,     DCM_InstanceNumber,
                                   DCM_NumberOfFrames,   DCM_ImageOrientationPatient,
                                   DCM_PixelSpacing,     DCM_WindowCenter,
                                   DCM_WindowWidth,      DCM_PhotometricInterpretation};
  DcmFileFormat file;
  OFString value;
  Uint16 rows = 0, columns = 0;
  Float64 position = 0;

  if (!load(file, path)) {
    return false;
  }
  DcmDataset *dataset = file.getDataset();
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    dataset->findAndGetOFStringArray(keys[i], value);
  }
  dataset->findAndGetFloat64(DCM_ImagePositionPatient, position, 2);
  dataset->findAndGetUint16(DCM_Rows, rows);
  dataset->findAndGetUint16(DCM_Columns, columns);
  *along = position;
  return rows > 0 && columns > 0;
}

static bool
do_headers(const WorkerRequest *request, const WorkerList *list)
{
  const unsigned rounds = worker_number(request->words[2]);
  const WorkerClock start = worker_clock();
  double along;

  for (unsigned r = 0; r < rounds; r++) {
    for (size_t i = 0; i < list->n; i++) {
      if (!read_header(list->paths[i], &along)) {
        return false;
      }
    }
  }
  worker_measured(start, (double)rounds * (double)list->n, 0);
  return true;
}

static bool
do_decode(const WorkerRequest *request, const WorkerList *list)
{
  const unsigned rounds = worker_number(request->words[2]);
  const WorkerClock start = worker_clock();
  double pixels = 0;

  for (size_t i = 0; i < rounds * list->n; i++) {
    DcmFileFormat file;
    Values values;

    if (!decode(file, list->paths[i % list->n], values)) {
      return false;
    }
    pixels += (double)values.rows * values.columns * (double)values.frames;
  }
  worker_measured(start, pixels, 0);
  return true;
}

static bool
do_window(const WorkerRequest *request, const WorkerList *list)
{
  const unsigned rounds = worker_number(request->words[2]);
  DicomImage image(list->paths[0], 0, 0, 1);

  if (image.getStatus() != EIS_Normal) {
    return false;
  }
  const double center = number(request->words[4]), width = number(request->words[5]);
  const WorkerClock start = worker_clock();
  for (unsigned r = 0; r < rounds; r++) {
    if (!image.setWindow(center + r % 64, width) || !image.getOutputData(8)) {
      return false;
    }
  }
  worker_measured(start, rounds, 0);
  return true;
}

/* From the names of files to the picture in the middle of what is scrolled through. */
static bool
do_first(const WorkerRequest *request, const WorkerList *list)
{
  const unsigned rounds = worker_number(request->words[2]);
  const WorkerClock start = worker_clock();

  for (unsigned r = 0; r < rounds; r++) {
    std::vector<std::pair<double, const char *>> slices;

    for (size_t i = 0; i < list->n; i++) {
      double along = 0;

      if (!read_header(list->paths[i], &along)) {
        return false;
      }
      slices.emplace_back(along, list->paths[i]);
    }
    std::sort(slices.begin(), slices.end());
    DicomImage image(slices[slices.size() / 2].second, 0, 0, 1);
    if (image.getStatus() != EIS_Normal ||
        !image.setWindow(number(request->words[4]), number(request->words[5])) ||
        !image.getOutputData(8)) {
      return false;
    }
  }
  worker_measured(start, rounds, 0);
  return true;
}

int
main()
{
  static const struct {
    const char *name;
    bool (*operation)(const WorkerRequest *, const WorkerList *);
  } operations[] = {{"stored", do_stored}, {"grey", do_grey},     {"headers", do_headers},
                    {"decode", do_decode}, {"window", do_window}, {"first", do_first}};
  WorkerRequest request = {};

  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  DJDecoderRegistration::registerCodecs(EDC_never);
  DJLSDecoderRegistration::registerCodecs();
  DcmRLEDecoderRegistration::registerCodecs();
  while (worker_next(&request)) {
    bool (*operation)(const WorkerRequest *, const WorkerList *) = NULL;
    WorkerList list;

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
      if (strcmp(operations[i].name, request.words[0]) == 0) {
        operation = operations[i].operation;
      }
    }
    if (!operation || !worker_list_read(request.words[1], &list)) {
      worker_error("no such request, or no such files", request.words[0]);
      continue;
    }
    if (!operation(&request, &list)) {
      worker_error("DCMTK failed", request.words[0]);
    }
    worker_list_free(&list);
  }
  DcmRLEDecoderRegistration::cleanup();
  DJLSDecoderRegistration::cleanup();
  DJDecoderRegistration::cleanup();
  return 0;
}
