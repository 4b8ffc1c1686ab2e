/*
 * http_certificate.h: a self-signed certificate made on the spot, for the tests' HTTPS server.
 */
#ifndef TESTS_HTTP_CERTIFICATE_H
#define TESTS_HTTP_CERTIFICATE_H

#include <openssl/ssl.h>

/* A server context for `san` ("IP:127.0.0.1"); *ret_pem is the certificate, for alloc_free(). */
SSL_CTX *http_certificate_new(const char *san, char **ret_pem);

#endif
