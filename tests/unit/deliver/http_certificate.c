/*
 * http_certificate.c: see http_certificate.h.
 */
#include "http_certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"

static X509 *make(EVP_PKEY *key, const char *san)
{
    X509 *x = X509_new();
    X509_NAME *name;
    X509_EXTENSION *ext;

    MUST(x && X509_set_version(x, 2) == 1);
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    MUST(X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
         X509_gmtime_adj(X509_getm_notAfter(x), 24L * 3600));
    MUST(X509_set_pubkey(x, key) == 1);
    name = X509_get_subject_name(x);
    MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0) == 1);
    MUST(X509_set_issuer_name(x, name) == 1);
    ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    MUST(ext && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
    MUST(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

SSL_CTX *http_certificate_new(const char *san, char **ret_pem)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = make(key, san);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;

    MUST(ctx && key && bio);
    MUST(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    MUST(PEM_write_bio_X509(bio, x) == 1);
    n = BIO_get_mem_data(bio, &text);
    MUST(n > 0 && alloc_str((struct str){text, (size_t)n}, ret_pem, NULL) == ERR_NONE);
    BIO_free(bio);
    X509_free(x);
    EVP_PKEY_free(key);
    return ctx;
}
