/* gate-words.c - words of a header that speak of animals.
 *
 * PatientSpeciesDescription (0010,2201) is what the standard has for it, and few veterinary
 * machines write it: they name the animal in protocols and in what the device calls its processing.
 */
#include "gate-words.h"

#include <glib.h>
#include <string.h>

static const char *const animals[] = {
    "CANINE",       "CANIS",       "DOG",      "DOGS",       "PUPPY",  "FELINE",     "FELIS",
    "KITTEN",       "EQUINE",      "EQUUS",    "HORSE",      "BOVINE", "CATTLE",     "PORCINE",
    "SWINE",        "PIGLET",      "OVINE",    "OVIS",       "SHEEP",  "CAPRINE",    "GOAT",
    "LAPINE",       "RABBIT",      "MURINE",   "RODENT",     "FERRET", "HAMSTER",    "AVIAN",
    "PARROT",       "REPTILE",     "TORTOISE", "MACAQUE",    "MACACA", "VETERINARY", "VETERINARIAN",
    "VETERINARIA",  "VETERINAIRE", "TIERARZT", "TIERKLINIK", "ANIMAL", "MOUSE",      "RATTUS",
    "MUS MUSCULUS",
};

const char *
dicom_gate_animal(const char *text)
{
  g_autofree char *upper = g_ascii_strup(text, -1);

  for (gsize i = 0; i < G_N_ELEMENTS(animals); i++) {
    gsize n = strlen(animals[i]);

    for (const char *at = strstr(upper, animals[i]); at; at = strstr(at + 1, animals[i])) {
      gboolean begins = at == upper || !g_ascii_isalnum(at[-1]);

      if (begins && !g_ascii_isalnum(at[n])) {
        return animals[i];
      }
    }
  }
  return NULL;
}
