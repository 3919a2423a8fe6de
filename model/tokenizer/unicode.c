/* unicode.c - see unicode.h. */
#include "tokenizer/unicode.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

typedef struct {
  uint32_t first, last;
} Range;

typedef struct {
  uint32_t first, last;
  uint8_t class; /* Canonical_Combining_Class */
} Class;

/* Each STEPth from FIRST to LAST has its small letter BY further on. */
typedef struct {
  uint32_t first, last, step;
  int32_t by;
} Lower;

/* CODE is A, or A and B. */
typedef struct {
  uint32_t code, a, b;
} Parts;

#include "tokenizer/unicode-table.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Hangul is composed by arithmetic (The Unicode Standard, 3.12). */
enum {
  S_BASE = 0xAC00,
  L_BASE = 0x1100,
  V_BASE = 0x1161,
  T_BASE = 0x11A7,
  L_COUNT = 19,
  V_COUNT = 21,
  T_COUNT = 28,
  S_COUNT = L_COUNT * V_COUNT * T_COUNT,
};

/* ---- classes ------------------------------------------------------------------------------- */

static bool
within(const Range *ranges, size_t n, uint32_t code)
{
  size_t low = 0, high = n;

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (code > ranges[middle].last) {
      low = middle + 1;
    } else if (code < ranges[middle].first) {
      high = middle;
    } else {
      return true;
    }
  }
  return false;
}

bool
model_unicode_is_letter(uint32_t code)
{
  return within(letters, COUNT(letters), code);
}

bool
model_unicode_is_number(uint32_t code)
{
  return within(numbers, COUNT(numbers), code);
}

bool
model_unicode_is_punctuation(uint32_t code)
{
  return within(punctuation, COUNT(punctuation), code);
}

bool
model_unicode_is_mark(uint32_t code)
{
  return within(marks, COUNT(marks), code);
}

bool
model_unicode_is_control(uint32_t code)
{
  return within(controls, COUNT(controls), code);
}

bool
model_unicode_is_space(uint32_t code)
{
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

static uint8_t
combining_class(uint32_t code)
{
  size_t low = 0, high = COUNT(classes);

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (code > classes[middle].last) {
      low = middle + 1;
    } else if (code < classes[middle].first) {
      high = middle;
    } else {
      return classes[middle].class;
    }
  }
  return 0;
}

/* ---- texts --------------------------------------------------------------------------------- */

void
model_codes_clear(ModelCodes *codes)
{
  free(codes->codes);
  *codes = (ModelCodes){0};
}

bool
model_codes_push(ModelCodes *codes, uint32_t code)
{
  if (codes->n == codes->capacity) {
    size_t capacity = codes->capacity ? codes->capacity * 2 : 64, n_bytes;
    uint32_t *grown;
    if (__builtin_mul_overflow(capacity, sizeof *codes->codes, &n_bytes) ||
        !(grown = realloc(codes->codes, n_bytes))) {
      return false;
    }
    codes->codes = grown;
    codes->capacity = capacity;
  }
  codes->codes[codes->n++] = code;
  return true;
}

bool
model_codes_read(ModelCodes *codes, const char *text, size_t length)
{
  for (size_t i = 0, step; i < length; i += step) {
    uint32_t code;
    step = model_utf8_decode(text + i, length - i, &code);
    if (!model_codes_push(codes, step ? code : 0xFFFD)) {
      return false;
    }
    step = step ? step : 1;
  }
  return true;
}

size_t
model_utf8_encode(uint32_t code, char out[4])
{
  const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

  for (size_t i = n; i-- > 1; code >>= 6) {
    out[i] = (char)(0x80 | (code & 0x3F));
  }
  out[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xFF) | code);
  return n;
}

static const Parts *
find_parts(uint32_t code)
{
  size_t low = 0, high = COUNT(parts);

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (code > parts[middle].code) {
      low = middle + 1;
    } else if (code < parts[middle].code) {
      high = middle;
    } else {
      return &parts[middle];
    }
  }
  return NULL;
}

/* The first part of a character may have parts itself, the second never has. The deepest have
 * four. */
static bool
push_parts(ModelCodes *out, uint32_t code)
{
  uint32_t behind[8];
  size_t n = 0;
  const Parts *found;

  if (code - S_BASE < S_COUNT) {
    const uint32_t s = code - S_BASE, t = s % T_COUNT;
    return model_codes_push(out, L_BASE + s / (V_COUNT * T_COUNT)) &&
           model_codes_push(out, V_BASE + s / T_COUNT % V_COUNT) &&
           (t == 0 || model_codes_push(out, T_BASE + t));
  }
  while (n < COUNT(behind) && (found = find_parts(code))) {
    if (found->b) {
      behind[n++] = found->b;
    }
    code = found->a;
  }
  if (!model_codes_push(out, code)) {
    return false;
  }
  while (n > 0) {
    if (!model_codes_push(out, behind[--n])) {
      return false;
    }
  }
  return true;
}

typedef struct {
  uint64_t place; /* class, then where it stood */
  uint32_t code;
} Mark;

static int
compare_marks(const void *a, const void *b)
{
  const uint64_t x = ((const Mark *)a)->place, y = ((const Mark *)b)->place;

  return (x > y) - (x < y);
}

/* Runs of marks by their classes; of one class as they stood. */
static bool
order_marks(ModelCodes *codes)
{
  for (size_t i = 0; i < codes->n; i++) {
    size_t end = i;
    Mark *run;

    while (end < codes->n && combining_class(codes->codes[end])) {
      end++;
    }
    if (end - i < 2) {
      continue;
    }
    run = calloc(end - i, sizeof *run);
    if (!run) {
      return false;
    }
    for (size_t k = i; k < end; k++) {
      run[k - i].place = (uint64_t)combining_class(codes->codes[k]) << 48 | k;
      run[k - i].code = codes->codes[k];
    }
    qsort(run, end - i, sizeof *run, compare_marks);
    for (size_t k = i; k < end; k++) {
      codes->codes[k] = run[k - i].code;
    }
    free(run);
    i = end;
  }
  return true;
}

/* Nothing below has parts or is a mark. */
static bool
is_plain(const ModelCodes *codes, uint32_t below)
{
  for (size_t i = 0; i < codes->n; i++) {
    if (codes->codes[i] >= below) {
      return false;
    }
  }
  return true;
}

bool
model_codes_decompose(ModelCodes *codes)
{
  ModelCodes out = {0};

  if (is_plain(codes, 0xC0)) {
    return true;
  }
  for (size_t i = 0; i < codes->n; i++) {
    if (!push_parts(&out, codes->codes[i])) {
      model_codes_clear(&out);
      return false;
    }
  }
  model_codes_clear(codes);
  *codes = out;
  return order_marks(codes);
}

/* The character that A and B are the parts of; 0: none. */
static uint32_t
join(uint32_t a, uint32_t b)
{
  size_t low = 0, high = COUNT(composed);

  if (a - L_BASE < L_COUNT && b - V_BASE < V_COUNT) {
    return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
  }
  if (a - S_BASE < S_COUNT && (a - S_BASE) % T_COUNT == 0 && b > T_BASE && b - T_BASE < T_COUNT) {
    return a + (b - T_BASE);
  }
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const Parts *p = &parts[composed[middle]];
    if (a > p->a || (a == p->a && b > p->b)) {
      low = middle + 1;
    } else if (a < p->a || b < p->b) {
      high = middle;
    } else {
      return p->code;
    }
  }
  return 0;
}

bool
model_codes_compose(ModelCodes *codes)
{
  size_t n = 0, starter = SIZE_MAX;
  uint8_t last = 0; /* class of the one before, when it was not joined */

  if (is_plain(codes, 0x300)) {
    return true;
  }
  if (!model_codes_decompose(codes)) {
    return false;
  }
  for (size_t i = 0; i < codes->n; i++) {
    const uint32_t code = codes->codes[i];
    const uint8_t class = combining_class(code);
    const bool blocked = n - 1 != starter && last >= class;
    const uint32_t joined = starter != SIZE_MAX && !blocked ? join(codes->codes[starter], code) : 0;

    if (joined) {
      codes->codes[starter] = joined;
      continue;
    }
    if (class == 0) {
      starter = n;
    }
    last = class;
    codes->codes[n++] = code;
  }
  codes->n = n;
  return true;
}

static uint32_t
lower(uint32_t code)
{
  size_t low = 0, high = COUNT(lowers);

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const Lower *l = &lowers[middle];
    if (code > l->last) {
      low = middle + 1;
    } else if (code < l->first) {
      high = middle;
    } else {
      return (code - l->first) % l->step == 0 ? (uint32_t)((int32_t)code + l->by) : code;
    }
  }
  return code;
}

bool
model_codes_lower(ModelCodes *codes)
{
  const size_t n = codes->n;
  size_t dotted = 0;

  /* The one capital whose small letter is of two characters: I with a dot above. */
  for (size_t i = 0; i < n; i++) {
    dotted += codes->codes[i] == 0x130;
  }
  for (size_t i = 0; i < dotted; i++) {
    if (!model_codes_push(codes, 0)) {
      return false;
    }
  }
  for (size_t i = n, at = codes->n; i-- > 0;) {
    const uint32_t code = codes->codes[i];
    if (code == 0x130) {
      codes->codes[--at] = 0x307;
    }
    codes->codes[--at] = code == 0x130 ? 'i' : lower(code);
  }
  return true;
}
