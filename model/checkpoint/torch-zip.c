/* The part of the zip format that PyTorch writes: stored entries, with the 64-bit extension for
 * what is larger than 4 GiB. PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5. */
#include "checkpoint/torch.h"

#include "base/error.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

#define END_BYTES 22u     /* 4.3.16, without its comment */
#define LOCATOR_BYTES 20u /* 4.3.15 */
#define END64_BYTES 56u   /* 4.3.14 */
#define CENTRAL_BYTES 46u /* 4.3.12 */
#define LOCAL_BYTES 30u   /* 4.3.7 */

typedef struct {
  const ModelMapping *mapping;
  uint64_t n_entries, at, end; /* of the central directory */
} Directory;

static uint64_t
little(const uint8_t *bytes, unsigned n)
{
  uint64_t value = 0;

  while (n--)
    value = value << 8 | bytes[n];
  return value;
}

/* N bytes at AT, or NULL. */
static const uint8_t *
bytes_at(const ModelMapping *mapping, uint64_t at, uint64_t n)
{
  return at <= mapping->size && n <= mapping->size - at ? mapping->data + at : NULL;
}

static bool
broken(const ModelMapping *mapping, const char *what, uint64_t at, ModelError *err)
{
  return model_fail(err, MODEL_ERROR_CORRUPT,
                    "%s: torch archive: %s at byte %llu is broken, or the file is cut short",
                    mapping->path, what, (unsigned long long)at);
}

static bool
find_directory(Directory *d, ModelError *err)
{
  const ModelMapping *mapping = d->mapping;
  uint64_t at = mapping->size - END_BYTES, most = at > 65535 ? at - 65535 : 0;
  const uint8_t *end = NULL, *locator, *end64;

  for (;; at--) {
    end = mapping->data + at;
    if (little(end, 4) == 0x06054b50 && little(end + 20, 2) == mapping->size - END_BYTES - at)
      break;
    if (at == most)
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: torch archive: its directory is not there; the file is cut short",
                        mapping->path);
  }
  d->n_entries = little(end + 10, 2);
  d->end = little(end + 12, 4);
  d->at = little(end + 16, 4);
  locator = at >= LOCATOR_BYTES ? end - LOCATOR_BYTES : NULL;
  if (locator && little(locator, 4) == 0x07064b50) {
    at = little(locator + 8, 8);
    end64 = bytes_at(mapping, at, END64_BYTES);
    if (!end64 || little(end64, 4) != 0x06064b50)
      return broken(mapping, "the end of the directory", at, err);
    d->n_entries = little(end64 + 32, 8);
    d->end = little(end64 + 40, 8);
    d->at = little(end64 + 48, 8);
  }
  if (!bytes_at(mapping, d->at, d->end))
    return broken(mapping, "the directory", d->at, err);
  d->end += d->at;
  if (d->n_entries > MODEL_MAX_TENSORS + 64 || d->n_entries > (d->end - d->at) / CENTRAL_BYTES)
    return model_fail(err, MODEL_ERROR_TOO_LARGE,
                      "%s: torch archive: %llu entries in a directory of %llu bytes, at most %u",
                      mapping->path, (unsigned long long)d->n_entries,
                      (unsigned long long)(d->end - d->at), MODEL_MAX_TENSORS + 64);
  return true;
}

/* 4.5.3: numbers that do not fit into 32 bits, in this order. */
static bool
read_extra(const uint8_t *extra, uint64_t n, uint64_t *numbers[3])
{
  while (n >= 4) {
    uint64_t id = little(extra, 2), length = little(extra + 2, 2);
    if (length > n - 4)
      return false;
    if (id == 1) {
      const uint8_t *at = extra + 4;
      for (int i = 0; i < 3; i++) {
        if (*numbers[i] != UINT32_MAX)
          continue;
        if (length < 8)
          return false;
        *numbers[i] = little(at, 8);
        at += 8;
        length -= 8;
      }
      return true;
    }
    extra += 4 + length;
    n -= 4 + length;
  }
  return true;
}

static bool
read_entry(Directory *d, ModelZipEntry *entry, ModelError *err)
{
  const ModelMapping *mapping = d->mapping;
  const uint8_t *head = d->end - d->at >= CENTRAL_BYTES ? mapping->data + d->at : NULL, *local;
  uint64_t n_name, n_extra, n_bytes, stored, offset, start;
  uint64_t *numbers[3] = {&entry->size, &stored, &offset};

  if (!head || little(head, 4) != 0x02014b50)
    return broken(mapping, "an entry of the directory", d->at, err);
  stored = little(head + 20, 4);
  entry->size = little(head + 24, 4);
  n_name = little(head + 28, 2);
  n_extra = little(head + 30, 2);
  offset = little(head + 42, 4);
  n_bytes = CENTRAL_BYTES + n_name + n_extra + little(head + 32, 2);
  if (n_bytes > d->end - d->at || !read_extra(head + CENTRAL_BYTES + n_name, n_extra, numbers))
    return broken(mapping, "an entry of the directory", d->at, err);
  entry->name = (const char *)head + CENTRAL_BYTES;
  entry->length = (size_t)n_name;
  if (little(head + 10, 2) != 0 || stored != entry->size || little(head + 8, 2) & 1)
    return model_fail(err, MODEL_ERROR_UNSUPPORTED,
                      "%s: torch archive: entry %u is compressed or encrypted; torch.save() stores "
                      "entries as they are",
                      mapping->path, (unsigned)d->n_entries);
  local = bytes_at(mapping, offset, LOCAL_BYTES);
  if (!local || little(local, 4) != 0x04034b50)
    return broken(mapping, "an entry", offset, err);
  start = offset + LOCAL_BYTES + little(local + 26, 2) + little(local + 28, 2);
  entry->data = bytes_at(mapping, start, entry->size);
  if (!entry->data)
    return broken(mapping, "an entry's data", start, err);
  d->at += n_bytes;
  return true;
}

/* As if both were one text. */
static int
compare_names(const char *a, size_t n_a, const char *b, size_t n_b)
{
  int order = memcmp(a, b, n_a < n_b ? n_a : n_b);

  return order ? order : (n_a > n_b) - (n_a < n_b);
}

static int
compare_entries(const void *a, const void *b)
{
  const ModelZipEntry *x = a, *y = b;

  return compare_names(x->name, x->length, y->name, y->length);
}

bool
model_zip_open(const ModelMapping *mapping, ModelZip *zip, ModelError *err)
{
  Directory d = {.mapping = mapping};
  uint64_t n;

  memset(zip, 0, sizeof *zip);
  if (mapping->size < END_BYTES || little(mapping->data, 4) != 0x04034b50) {
    /* Protocol 2 of pickle, and a long number: the format before PyTorch 1.6. */
    bool old = mapping->size > 3 && memcmp(mapping->data, "\x80\x02\x8a", 3) == 0;
    return model_fail(
        err, old ? MODEL_ERROR_UNSUPPORTED : MODEL_ERROR_FORMAT, "%s: %s", mapping->path,
        old ? "torch.save()'s format from before PyTorch 1.6, which is not read here; "
              "load the file and save it again, best as safetensors"
            : "expected the zip archive of torch.save()");
  }
  if (!find_directory(&d, err))
    return false;
  n = d.n_entries;
  zip->entries = calloc(n + 1, sizeof *zip->entries);
  if (!zip->entries)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", mapping->path);
  for (; zip->n < n; zip->n++)
    if (!read_entry(&d, &zip->entries[zip->n], err)) {
      model_zip_clear(zip);
      return false;
    }
  qsort(zip->entries, zip->n, sizeof *zip->entries, compare_entries);
  return true;
}

void
model_zip_clear(ModelZip *zip)
{
  free(zip->entries);
  memset(zip, 0, sizeof *zip);
}

const ModelZipEntry *
model_zip_find(const ModelZip *zip, const char *first, size_t n_first, const char *second,
               size_t n_second)
{
  uint32_t low = 0, high = zip->n;

  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const ModelZipEntry *entry = &zip->entries[middle];
    size_t n = entry->length < n_first ? entry->length : n_first;
    int order = compare_names(entry->name, n, first, n_first);
    if (order == 0)
      order = compare_names(entry->name + n, entry->length - n, second, n_second);
    if (order == 0)
      return entry;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}
