/* pin.c - see pin.h. A PIN is never an argument: those are seen by all on the machine. */
#include "pin.h"

#include "app_person.h"
#include "app_secrets.h"
#include "cli.h"
#include "passphrase.h"

char *
cli_pin(const char *file, gboolean again, GError **error)
{
  const CliSecret secret = {again ? "New PIN: " : "PIN: ", again ? "The same again: " : NULL,
                            "the PIN",
                            again ? "or name a file that holds it: --new-pin-file, or --pin-file "
                                    "for who is added"
                                  : "or name a file that holds it: --pin-file"};

  return file ? app_secret_line("the PIN", file, error) : cli_ask_secret(&secret, error);
}

gboolean
cli_sign_in(const char *log, const char *name, const char *file, GError **error)
{
  char *pin = cli_pin(file, FALSE, error);
  const AppPersonWish wish = {APP_PERSON_IN, .name = name, .pin = pin};
  g_autoptr(JsonNode) node = pin ? app_person_do(log, &wish, NULL, error) : NULL;

  cli_wipe(&pin);
  return node != NULL;
}

void
cli_sign_out(const char *log)
{
  const AppPersonWish wish = {APP_PERSON_OUT, .why = "end"};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do(log, &wish, NULL, &error);

  if (!node) {
    cli_note("that the person signed out is not in the log: %s", error->message);
  }
}
