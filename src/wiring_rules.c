/*
 * wiring_rules.c: settings become the rules by which definitions are judged.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "deliver/deliver.h"
#include "wiring.h"

static enum err name_headers(struct wiring_rules *r, const struct settings_list *hidden, struct error *err)
{
    enum err e = alloc_array(hidden->n, sizeof(r->hidden_headers[0]), (void **)&r->hidden_headers, err);

    for (size_t i = 0; i < hidden->n && !e; i++)
        r->hidden_headers[i] = str_of(hidden->items[i]);
    return e;
}

static enum err name_secrets(struct wiring_rules *r, const struct settings *s, struct error *err)
{
    enum err e = alloc_array(s->secrets_n, sizeof(r->secret_names[0]), (void **)&r->secret_names, err);

    for (size_t i = 0; i < s->secrets_n && !e; i++)
        r->secret_names[i] = str_of(s->secrets[i].name);
    return e;
}

enum err wiring_rules_init(struct wiring_rules *r, const struct settings *s, struct error *err)
{
    enum err e = zones_new(cli_zoneinfo(), &r->zones, err);

    if (!e)
        e = name_headers(r, &s->delivery.hidden_headers, err);
    if (!e)
        e = name_secrets(r, s, err);
    if (e)
        return e;
    r->clients = (struct schedule_rules){
        .zones = r->zones,
        .default_timezone = str_of(s->scheduler.timezone),
        .tls_insecure_allowed = s->delivery.tls_insecure_allowed,
        .hidden_headers = r->hidden_headers,
        .hidden_headers_n = s->delivery.hidden_headers.n,
        .secrets = r->secret_names,
        .secrets_n = s->secrets_n,
    };
    for (size_t i = 0; i < deliver_kinds_n; i++)
        r->clients.task_enabled[deliver_kinds[i].type] = true;
    r->stored = r->clients;
    r->stored.trusted = true;
    return ERR_NONE;
}

void wiring_rules_done(struct wiring_rules *r)
{
    zones_free(TAKE(r->zones));
    alloc_free(TAKE(r->hidden_headers));
    alloc_free(TAKE(r->secret_names));
}
