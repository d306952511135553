#pragma once
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gnutls/crypto.h>

// gnutls_free is a mutable global function pointer, which Swift does not let us touch.
static inline void switchyard_gnutls_free(void *memory) { gnutls_free(memory); }
