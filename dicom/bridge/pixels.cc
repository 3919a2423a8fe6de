// pixels.cc - one code stream by DCMTK's decoders.
#include "internal.h"

#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

namespace
{

// What the decoders look up in the data set around the pixels.
bool
describe(DcmDataset *dataset, const DicomBridgeJpeg *job)
{
  return dataset->putAndInsertUint16(DCM_SamplesPerPixel, static_cast<Uint16>(job->samples))
             .good() &&
         dataset->putAndInsertString(DCM_PhotometricInterpretation, job->photometric).good() &&
         // By pixel, whatever the object says of its own arrangement.
         (job->samples == 1 || dataset->putAndInsertUint16(DCM_PlanarConfiguration, 0).good()) &&
         dataset->putAndInsertString(DCM_NumberOfFrames, "1").good() &&
         dataset->putAndInsertUint16(DCM_Rows, static_cast<Uint16>(job->rows)).good() &&
         dataset->putAndInsertUint16(DCM_Columns, static_cast<Uint16>(job->columns)).good() &&
         dataset->putAndInsertUint16(DCM_BitsAllocated, static_cast<Uint16>(job->bits_allocated))
             .good() &&
         dataset->putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(job->bits_stored))
             .good() &&
         dataset->putAndInsertUint16(DCM_HighBit, static_cast<Uint16>(job->bits_stored - 1))
             .good() &&
         dataset->putAndInsertUint16(DCM_PixelRepresentation, job->is_signed ? 1 : 0).good();
}

// An empty offset table and one fragment; NULL when there is no memory for them.
DcmPixelSequence *
wrap(const DicomBridgeJpeg *job)
{
  const DcmTag tag(DCM_PixelItemTag, EVR_OB);
  DcmPixelSequence *sequence = new DcmPixelSequence(DcmTag(DCM_PixelSequenceTag));
  DcmPixelItem *table = new DcmPixelItem(tag), *fragment = nullptr;

  if (sequence->insert(table).good()) {
    fragment = new DcmPixelItem(tag);
    if (sequence->insert(fragment).good() &&
        fragment->putUint8Array(job->bytes, static_cast<Uint32>(job->n)).good()) {
      return sequence;
    }
  }
  delete sequence;
  return nullptr;
}

const char *
decode(DicomBridgeJpeg *job, void *out, gsize n_out, char photometric[17])
{
  DcmDataset dataset;
  DcmPixelData *pixels = new DcmPixelData(DcmTag(DCM_PixelData, EVR_OB));
  OFString model;
  Uint32 start = 1; // after the offset table

  if (dataset.insert(pixels, OFTrue).bad()) {
    delete pixels;
    return "DCMTK gave up";
  }
  DcmPixelSequence *sequence = wrap(job);
  if (!sequence || !describe(&dataset, job)) {
    delete sequence;
    return "DCMTK gave up";
  }
  pixels->putOriginalRepresentation(DcmXfer(job->syntax_uid).getXfer(), nullptr, sequence);
  OFCondition status =
      pixels->getUncompressedFrame(&dataset, 0, start, out, static_cast<Uint32>(n_out), model);
  if (status.bad()) {
    // The decoder's "illegal call": it asked for another fragment, and there is none.
    g_snprintf(job->wrong, sizeof job->wrong, "cannot be decoded: %s",
               status == EC_IllegalCall ? "the code stream ends before the picture does"
                                        : status.text());
    return job->wrong;
  }
  g_strlcpy(photometric, model.c_str(), 17);
  return nullptr;
}

} // namespace

const char *
dicom_bridge_decode_jpeg(DicomBridgeJpeg *job, void *out, gsize n_out, char photometric[17])
{
  if (job->n > G_MAXUINT32 - 1 || n_out > G_MAXUINT32) {
    return "is larger than DCMTK can decode";
  }
  if (!dicom_bridge_init(nullptr)) {
    return "cannot be decoded: DCMTK cannot start";
  }
  try {
    return decode(job, out, n_out, photometric);
  } catch (const std::bad_alloc &) {
    return "needs more memory than there is";
  } catch (const std::exception &e) {
    g_snprintf(job->wrong, sizeof job->wrong, "cannot be decoded: %s", e.what());
    return job->wrong;
  } catch (...) {
    return "cannot be decoded: DCMTK gave up";
  }
}
