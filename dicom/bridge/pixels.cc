// pixels.cc - one frame's bytes, native or decoded.
#include "internal.h"

#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

#include <cstring>

static DcmPixelData *
pixel_data(DicomBridge *bridge)
{
  DcmElement *element = nullptr;

  if (bridge->dataset.findAndGetElement(DCM_PixelData, element).bad()) {
    return nullptr;
  }
  return dynamic_cast<DcmPixelData *>(element);
}

// The fragments, NULL when the value is native.
static DcmPixelSequence *
fragments(DicomBridge *bridge)
{
  DcmPixelData *pixels = pixel_data(bridge);
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter *parameter = nullptr;
  DcmPixelSequence *sequence = nullptr;

  if (!pixels) {
    return nullptr;
  }
  pixels->getOriginalRepresentationKey(syntax, parameter);
  if (!DcmXfer(syntax).isEncapsulated() ||
      pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).bad()) {
    return nullptr;
  }
  return sequence;
}

gboolean
dicom_bridge_is_encapsulated(const DicomBridge *bridge)
{
  try {
    return fragments(const_cast<DicomBridge *>(bridge)) != nullptr;
  } catch (...) {
    return FALSE;
  }
}

gboolean
dicom_bridge_native(DicomBridge *bridge, guint32 tag, guint64 offset, void *out, gsize n,
                    GError **error)
{
  try {
    DcmElement *element = nullptr;

    if (bridge->dataset.findAndGetElement(key(tag), element).bad() || !element ||
        offset > G_MAXUINT32 || n > G_MAXUINT32) {
      return bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(), "has no pixel data");
    }
    OFCondition status = element->getPartialValue(
        out, static_cast<Uint32>(offset), static_cast<Uint32>(n), nullptr, EBO_LittleEndian);
    if (status.bad()) {
      return bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(),
                         "PixelData cannot be read at byte %" G_GUINT64_FORMAT ": %s", offset,
                         status.text());
    }
    return TRUE;
  } catch (...) {
    bridge_caught(bridge->name.c_str(), error);
    return FALSE;
  }
}

static Uint32
fragment_length(DcmPixelSequence *sequence, guint fragment)
{
  DcmPixelItem *item = nullptr;

  return sequence->getItem(item, fragment).good() && item ? item->getLength() : 0;
}

// By the basic offset table (PS3.5 A.4): offsets count from the first byte after the table.
static guint
fragment_by_table(DcmPixelSequence *sequence, guint frame, guint n_frames)
{
  DcmPixelItem *table = nullptr;
  Uint8 entry[4];
  const unsigned long n = sequence->card();

  if (sequence->getItem(table, 0).bad() || !table || table->getLength() / 4 < n_frames ||
      table->getPartialValue(entry, frame * 4u, 4, nullptr, EBO_LittleEndian).bad()) {
    return 0;
  }
  const guint64 wanted = static_cast<guint64>(entry[0]) | static_cast<guint64>(entry[1]) << 8 |
                         static_cast<guint64>(entry[2]) << 16 |
                         static_cast<guint64>(entry[3]) << 24;
  guint64 at = 0;
  for (guint i = 1; i < n && at <= wanted; i++) {
    if (at == wanted) {
      return i;
    }
    at += 8 + static_cast<guint64>(fragment_length(sequence, i));
  }
  return 0;
}

// Without a table: every code stream of the JPEG family begins with a start-of-image marker, and a
// fragment in its middle cannot, because the encoders escape 0xFF.
static guint
fragment_by_marker(DcmPixelSequence *sequence, guint frame)
{
  const unsigned long n = sequence->card();
  guint seen = 0;

  for (guint i = 1; i < n; i++) {
    DcmPixelItem *item = nullptr;
    Uint8 head[3] = {0, 0, 0};

    if (sequence->getItem(item, i).good() && item && item->getLength() >= 4 &&
        item->getPartialValue(head, 0, 3, nullptr, EBO_LittleEndian).good() && head[0] == 0xff &&
        head[1] == 0xd8 && head[2] == 0xff && seen++ == frame) {
      return i;
    }
  }
  return 0;
}

gboolean
dicom_bridge_first_fragment(DicomBridge *bridge, guint frame, guint n_frames, guint *fragment,
                            GError **error)
{
  try {
    DcmPixelSequence *sequence = fragments(bridge);
    const unsigned long n = sequence ? sequence->card() : 0;

    *fragment = 0;
    if (n == n_frames + 1ul) {
      *fragment = frame + 1;
    } else if (n >= 2 && n_frames == 1) {
      *fragment = 1;
    } else if (n >= 2) {
      *fragment = fragment_by_table(sequence, frame, n_frames);
      if (*fragment == 0) {
        *fragment = fragment_by_marker(sequence, frame);
      }
    }
    if (*fragment == 0) {
      return bridge_fail(
          error, DICOM_ERROR_CORRUPT, bridge->name.c_str(),
          "frame %u, counted from 0, of %u is not among the %lu fragments of PixelData", frame,
          n_frames, n > 0 ? n - 1 : 0);
    }
    return TRUE;
  } catch (...) {
    bridge_caught(bridge->name.c_str(), error);
    return FALSE;
  }
}

guint8 *
dicom_bridge_join_fragments(DicomBridge *bridge, guint first, guint last, gsize max, gsize *n,
                            GError **error)
{
  guint8 *bytes = nullptr;

  try {
    DcmPixelSequence *sequence = fragments(bridge);
    gsize total = 0, at = 0;
    bool ok = sequence != nullptr;

    for (guint i = first; ok && i <= last; i++) {
      total += fragment_length(sequence, i);
    }
    bytes = ok && total <= max ? static_cast<guint8 *>(g_try_malloc(total + 1)) : nullptr;
    ok = bytes != nullptr;
    for (guint i = first; ok && i <= last; i++) {
      DcmPixelItem *item = nullptr;
      const Uint32 length = fragment_length(sequence, i);

      ok = length == 0 ||
           (sequence->getItem(item, i).good() &&
            item->getPartialValue(bytes + at, 0, length, nullptr, EBO_LittleEndian).good());
      at += length;
    }
    if (ok) {
      *n = total;
      return bytes;
    }
    bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(),
                "fragments %u to %u of PixelData cannot be read", first, last);
  } catch (...) {
    bridge_caught(bridge->name.c_str(), error);
  }
  g_free(bytes);
  return nullptr;
}

gboolean
dicom_bridge_peek_fragment(DicomBridge *bridge, guint fragment, guint8 *out, gsize n, gsize *got,
                           gsize *length, GError **error)
{
  try {
    DcmPixelSequence *sequence = fragments(bridge);
    DcmPixelItem *item = nullptr;

    *got = *length = 0;
    if (sequence && sequence->getItem(item, fragment).good() && item) {
      *length = item->getLength();
      const gsize want = MIN(n, *length);
      if (want == 0 ||
          item->getPartialValue(out, 0, static_cast<Uint32>(want), nullptr, EBO_LittleEndian)
              .good()) {
        *got = want;
        return TRUE;
      }
    }
    return bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(),
                       "fragment %u of PixelData cannot be read", fragment);
  } catch (...) {
    bridge_caught(bridge->name.c_str(), error);
    return FALSE;
  }
}

gboolean
dicom_bridge_decode(DicomBridge *bridge, guint frame, guint fragment, void *out, gsize n,
                    char photometric[17], GError **error)
{
  try {
    DcmPixelData *pixels = pixel_data(bridge);
    OFString model;
    Uint32 start = fragment;

    if (!pixels || n > G_MAXUINT32) {
      return bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(), "has no pixel data");
    }
    if (!bridge->prepared) {
      // The decoders arrange colours as the data set says; by pixel is what this room wants. Only
      // the copy in memory is changed, and what the file said has been read before.
      Uint16 samples = 1;
      bridge->dataset.findAndGetUint16(DCM_SamplesPerPixel, samples);
      if (samples > 1) {
        bridge->dataset.putAndInsertUint16(DCM_PlanarConfiguration, 0);
      }
      bridge->prepared = true;
    }
    OFCondition status = pixels->getUncompressedFrame(&bridge->dataset, frame, start, out,
                                                      static_cast<Uint32>(n), model);
    if (status.bad()) {
      // The decoder's "illegal call": it asked for another fragment, and there is none.
      return bridge_fail(error, DICOM_ERROR_CORRUPT, bridge->name.c_str(),
                         "frame %u cannot be decoded: %s", frame,
                         status == EC_IllegalCall ? "the code stream ends before the picture does"
                                                  : status.text());
    }
    g_strlcpy(photometric, model.c_str(), 17);
    return TRUE;
  } catch (...) {
    bridge_caught(bridge->name.c_str(), error);
    return FALSE;
  }
}
