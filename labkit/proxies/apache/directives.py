"""Every directive of httpd 2.4 and the module that provides it; a name that begins with < is a section.

The table is what `apache2 -L` of 2.4.71 prints, one module after another.
"""

from __future__ import annotations

from difflib import get_close_matches

__all__ = ["BUILD", "BY_NAME", "DIRECTIVES", "PROVEN", "SECTIONS", "foreign", "likely", "module_of", "names_of"]

PROVEN = "2.4.71"
"""The version that the lab was held against."""

BUILD = f"{PROVEN} (Debian)"
"""The same, with whoever built it."""

DIRECTIVES: dict[str, str] = {
    "access_compat": "allow deny order Satisfy",
    "actions": "Action Script",
    "alias": """
        Alias AliasMatch AliasPreservePath Redirect RedirectMatch RedirectPermanent RedirectRelative
        RedirectTemp ScriptAlias ScriptAliasMatch
    """,
    "allowmethods": "AllowMethods",
    "auth_basic": "AuthBasicAuthoritative AuthBasicFake AuthBasicProvider AuthBasicUseDigestAlgorithm",
    "auth_digest": """
        AuthDigestAlgorithm AuthDigestDomain AuthDigestNcCheck AuthDigestNonceLifetime AuthDigestProvider
        AuthDigestQop AuthDigestShmemSize
    """,
    "auth_form": """
        AuthFormAuthoritative AuthFormBody AuthFormDisableNoStore AuthFormFakeBasicAuth AuthFormLocation
        AuthFormLoginRequiredLocation AuthFormLoginSuccessLocation AuthFormLogoutLocation AuthFormMethod
        AuthFormMimetype AuthFormPassword AuthFormProvider AuthFormSitePassphrase AuthFormSize
        AuthFormUsername
    """,
    "authn_anon": "Anonymous Anonymous_LogEmail Anonymous_MustGiveEmail Anonymous_NoUserId Anonymous_VerifyEmail",
    "authn_core": "AuthName <AuthnProviderAlias AuthType",
    "authn_dbd": "AuthDBDUserPWQuery AuthDBDUserRealmQuery",
    "authn_dbm": "AuthDBMType AuthDBMUserFile",
    "authn_file": "AuthUserFile",
    "authn_socache": "AuthnCacheContext AuthnCacheEnable AuthnCacheProvideFor AuthnCacheSOCache AuthnCacheTimeout",
    "authnz_fcgi": "AuthnzFcgiCheckAuthnProvider AuthnzFcgiDefineProvider",
    "authnz_ldap": """
        AuthLDAPAuthorizePrefix AuthLDAPBindAuthoritative AuthLDAPBindDN AuthLDAPBindPassword
        AuthLDAPCharsetConfig AuthLDAPCompareAsUser AuthLDAPCompareDNOnServer AuthLDAPDereferenceAliases
        AuthLDAPGroupAttribute AuthLDAPGroupAttributeIsDN AuthLDAPInitialBindAsUser
        AuthLDAPInitialBindPattern AuthLDAPMaxSubGroupDepth AuthLDAPRemoteUserAttribute
        AuthLDAPRemoteUserIsDN AuthLDAPSearchAsUser AuthLDAPSubGroupAttribute AuthLDAPSubGroupClass
        AuthLDAPURL
    """,
    "authz_core": """
        AuthMerging <AuthzProviderAlias AuthzSendForbiddenOnFailure Require <RequireAll <RequireAny
        <RequireNone
    """,
    "authz_dbd": "AuthzDBDLoginToReferer AuthzDBDQuery AuthzDBDRedirectQuery",
    "authz_dbm": "AuthDBMGroupFile AuthzDBMType",
    "authz_groupfile": "AuthGroupFile",
    "autoindex": """
        AddAlt AddAltByEncoding AddAltByType AddDescription AddIcon AddIconByEncoding AddIconByType
        DefaultIcon FancyIndexing HeaderName IndexHeadInsert IndexIgnore IndexIgnoreReset IndexOptions
        IndexOrderDefault IndexStyleSheet ReadmeName
    """,
    "brotli": """
        BrotliAlterETag BrotliCompressionMaxInputBlock BrotliCompressionQuality BrotliCompressionWindow
        BrotliFilterNote
    """,
    "buffer": "BufferSize",
    "cache": """
        CacheDefaultExpire CacheDetailHeader CacheDisable CacheEnable CacheHeader CacheIgnoreCacheControl
        CacheIgnoreHeaders CacheIgnoreNoLastMod CacheIgnoreQueryString CacheIgnoreURLSessionIdentifiers
        CacheKeyBaseURL CacheLastModifiedFactor CacheLock CacheLockMaxAge CacheLockPath CacheMaxExpire
        CacheMinExpire CacheQuickHandler CacheStaleOnError CacheStoreExpired CacheStoreNoStore
        CacheStorePrivate
    """,
    "cache_disk": """
        CacheDirLength CacheDirLevels CacheMaxFileSize CacheMinFileSize CacheReadSize CacheReadTime
        CacheRoot
    """,
    "cache_socache": """
        CacheSocache CacheSocacheMaxSize CacheSocacheMaxTime CacheSocacheMinTime CacheSocacheReadSize
        CacheSocacheReadTime
    """,
    "case_filter": "CaseFilter",
    "case_filter_in": "CaseFilterIn",
    "cern_meta": "MetaDir MetaFiles MetaSuffix",
    "cgi": "CGIScriptTimeout ScriptLog ScriptLogBuffer ScriptLogLength",
    "cgid": "CGIDScriptTimeout ScriptLog ScriptLogBuffer ScriptLogLength ScriptSock",
    "charset_lite": "CharsetDefault CharsetOptions CharsetSourceEnc",
    "core": """
        AcceptFilter AcceptPathInfo AccessFileName AddDefaultCharset AllowEncodedSlashes AllowOverride
        AllowOverrideList CGIPassAuth CGIVar ContentDigest CoreDumpDirectory DefaultRuntimeDir DefaultType
        Define <Directory <DirectoryMatch DocumentRoot <Else <ElseIf EnableMMAP EnableSendfile Error
        ErrorDocument ErrorLog ErrorLogFormat ExtendedStatus FileETag <Files <FilesMatch FlushMaxPipelined
        FlushMaxThreshold ForceType HostnameLookups HttpProtocolOptions <If <IfDefine <IfDirective <IfFile
        <IfModule <IfSection Include IncludeOptional KeepAlive KeepAliveTimeout <Limit <LimitExcept
        LimitInternalRecursion LimitRequestBody LimitRequestFields LimitRequestFieldsize LimitRequestLine
        LimitXMLRequestBody <Location <LocationMatch LogLevel MaxConnectionsPerChild MaxKeepAliveRequests
        MaxMemFree MaxRangeOverlaps MaxRangeReversals MaxRanges MaxRequestsPerChild MergeSlashes
        MergeTrailers Mutex NameVirtualHost Options PidFile Port Protocol Protocols ProtocolsHonorOrder
        QualifyRedirectURL ReadBufferSize RegexDefaultOptions RegisterHttpMethod RLimitCPU RLimitMEM
        RLimitNPROC ScoreBoardFile SeeRequestTail ServerAdmin ServerAlias ServerName ServerPath ServerRoot
        ServerSignature ServerTokens SetHandler SetInputFilter SetOutputFilter StrictHostCheck
        ThreadStackSize Timeout TraceEnable UnDefine UseCanonicalName UseCanonicalPhysicalPort <VirtualHost
    """,
    "dav": "DAV DAVBasePath DAVDepthInfinity DAVLockDiscovery DAVMinTimeout",
    "dav_fs": "DAVLockDB",
    "dav_lock": "DAVGenericLockDB",
    "dbd": "DBDExptime DBDInitSQL DBDKeep DBDMax DBDMin DBDParams DBDPersist DBDPrepareSQL DBDriver",
    "deflate": """
        DeflateAlterEtag DeflateBufferSize DeflateCompressionLevel DeflateFilterNote
        DeflateInflateLimitRequestBody DeflateInflateRatioBurst DeflateInflateRatioLimit DeflateMemLevel
        DeflateWindowSize
    """,
    "dialup": "ModemStandard",
    "dir": "DirectoryCheckHandler DirectoryIndex DirectoryIndexRedirect DirectorySlash FallbackResource",
    "dumpio": "DumpIOInput DumpIOOutput",
    "echo": "ProtocolEcho",
    "env": "PassEnv SetEnv UnsetEnv",
    "expires": "ExpiresActive ExpiresByType ExpiresDefault",
    "ext_filter": "ExtFilterDefine ExtFilterOptions",
    "file_cache": "cachefile mmapfile",
    "filter": "AddOutputFilterByType FilterChain FilterDeclare FilterProtocol FilterProvider FilterTrace",
    "headers": "Header RequestHeader",
    "heartbeat": "HeartbeatAddress",
    "heartmonitor": "HeartbeatListen HeartbeatMaxServers HeartbeatStorage",
    "http2": """
        H2CopyFiles H2Direct H2EarlyHint H2EarlyHints H2MaxDataFrameLen H2MaxHeaderBlockLen
        H2MaxSessionStreams H2MaxStreamErrors H2MaxWorkerIdleSeconds H2MaxWorkers H2MinWorkers
        H2ModernTLSOnly H2OutputBuffering H2Padding H2ProxyRequests H2Push H2PushDiarySize H2PushPriority
        H2PushResource H2SerializeHeaders H2SessionExtraFiles H2StreamMaxMemSize H2StreamTimeout
        H2TLSCoolDownSecs H2TLSWarmUpSize H2Upgrade H2WebSockets H2WindowSize
    """,
    "ident": "IdentityCheck IdentityCheckTimeout",
    "imagemap": "ImapBase ImapDefault ImapMenu",
    "include": """
        SSIEndTag SSIErrorMsg SSIEtag SSILastModified SSILegacyExprParser SSIStartTag SSITimeFormat
        SSIUndefinedEcho XBitHack
    """,
    "info": "AddModuleInfo",
    "lbmethod_heartbeat": "HeartbeatStorage",
    "ldap": """
        LDAPCacheEntries LDAPCacheTTL LDAPConnectionPoolTTL LDAPConnectionTimeout LDAPLibraryDebug
        LDAPOpCacheEntries LDAPOpCacheTTL LDAPReferralHopLimit LDAPReferrals LDAPRetries LDAPRetryDelay
        LDAPSharedCacheFile LDAPSharedCacheSize LDAPTimeout LDAPTrustedClientCert LDAPTrustedGlobalCert
        LDAPTrustedMode LDAPVerifyServerCert
    """,
    "log_config": "BufferedLogs CustomLog GlobalLog LogFormat TransferLog",
    "log_debug": "LogMessage",
    "log_forensic": "ForensicLog",
    "logio": "LogIOTrackTTFB",
    "lua": """
        Lua_____ByteCodeHack LuaAuthzProvider LuaCodeCache <LuaHookAccessChecker LuaHookAccessChecker
        <LuaHookAuthChecker LuaHookAuthChecker LuaHookCheckUserID <LuaHookCheckUserID LuaHookFixups
        <LuaHookFixups LuaHookInsertFilter LuaHookLog <LuaHookMapToStorage LuaHookMapToStorage
        LuaHookPreTranslateName <LuaHookPreTranslateName <LuaHookTranslateName LuaHookTranslateName
        <LuaHookTypeChecker LuaHookTypeChecker LuaInherit LuaInputFilter LuaMapHandler LuaOutputFilter
        LuaPackageCPath LuaPackagePath LuaQuickHandler <LuaQuickHandler LuaRoot LuaScope
    """,
    "macro": "<Macro MacroIgnoreBadNesting MacroIgnoreEmptyArgs UndefMacro Use",
    "md": """
        MDActivationDelay MDBaseServer MDCACertificateFile MDCAChallenges MDCertificateAgreement
        MDCertificateAuthority MDCertificateCheck MDCertificateFile MDCertificateKeyFile
        MDCertificateProtocol MDCertificateStatus MDChallengeDns01 MDChallengeDns01Version MDCheckInterval
        MDContactEmail MDDriveMode MDExternalAccountBinding MDHttpProxy MDHttpProxyCACertificateFile
        MDInitialDelay MDMatchNames MDMember MDMembers MDMessageCmd MDMustStaple MDNotifyCmd MDomain
        <MDomain <MDomainSet MDPortMap MDPrivateKeys MDProfile MDProfileMandatory MDRenewMode MDRenewViaARI
        MDRenewWindow MDRequireHttps MDRetryDelay MDRetryFailover MDServerStatus MDStapleOthers MDStapling
        MDStaplingKeepResponse MDStaplingRenewWindow MDStoreDir MDStoreLocks MDWarnWindow
    """,
    "mime": """
        AddCharset AddEncoding AddHandler AddInputFilter AddLanguage AddOutputFilter AddType DefaultLanguage
        ModMimeUsePathInfo MultiviewsMatch RemoveCharset RemoveEncoding RemoveHandler RemoveInputFilter
        RemoveLanguage RemoveOutputFilter RemoveType TypesConfig
    """,
    "mime_magic": "MimeMagicFile",
    "mpm": """
        AsyncRequestWorkerFactor GracefulShutdownTimeout Listen ListenBacklog ListenCoresBucketsRatio
        ListenTCPDeferAccept MaxClients MaxRequestWorkers MaxSpareServers MaxSpareThreads MinSpareServers
        MinSpareThreads ReceiveBufferSize SendBufferSize ServerLimit StartServers ThreadLimit
        ThreadsPerChild
    """,
    "negotiation": "CacheNegotiatedDocs ForceLanguagePriority LanguagePriority",
    "proxy": """
        BalancerGrowth BalancerInherit BalancerMember BalancerPersist NoProxy <Proxy Proxy100Continue
        ProxyAddHeaders ProxyBadHeader ProxyBlock ProxyDomain ProxyErrorOverride ProxyIOBufferSize
        <ProxyMatch ProxyMaxForwards ProxyPass ProxyPassInherit ProxyPassInterpolateEnv ProxyPassMatch
        ProxyPassReverse ProxyPassReverseCookieDomain ProxyPassReverseCookiePath ProxyPreserveHost
        ProxyReceiveBufferSize ProxyRemote ProxyRemoteMatch ProxyRequests ProxySet ProxySourceAddress
        ProxyStatus ProxyTimeout ProxyVia
    """,
    "proxy_connect": "AllowCONNECT",
    "proxy_express": "ProxyExpressDBMFile ProxyExpressDBMType ProxyExpressEnable",
    "proxy_fcgi": "ProxyFCGIBackendType ProxyFCGISetEnvIf",
    "proxy_ftp": "ProxyFtpDirCharset ProxyFtpEscapeWildcards ProxyFtpListOnWildcard",
    "proxy_hcheck": "ProxyHCExpr ProxyHCTemplate ProxyHCTPsize",
    "proxy_html": """
        ProxyHTMLBufSize ProxyHTMLCharsetOut ProxyHTMLDoctype ProxyHTMLEnable ProxyHTMLEvents
        ProxyHTMLExtended ProxyHTMLFixups ProxyHTMLInterp ProxyHTMLLinks ProxyHTMLMeta
        ProxyHTMLStripComments ProxyHTMLURLMap
    """,
    "proxy_scgi": "ProxySCGIInternalRedirect ProxySCGISendfile",
    "proxy_wstunnel": "ProxyWebsocketFallbackToProxyHttp",
    "reflector": "ReflectorHeader",
    "remoteip": """
        RemoteIPHeader RemoteIPInternalProxy RemoteIPInternalProxyList RemoteIPProxiesHeader
        RemoteIPProxyProtocol RemoteIPProxyProtocolExceptions RemoteIPTrustedProxy RemoteIPTrustedProxyList
    """,
    "reqtimeout": "RequestReadTimeout",
    "request": "KeptBodySize",
    "rewrite": "RewriteBase RewriteCond RewriteEngine RewriteMap RewriteOptions RewriteRule",
    "sed": "InputSed OutputSed",
    "session": """
        Session SessionEnv SessionExclude SessionExpiryUpdateInterval SessionHeader SessionInclude
        SessionMaxAge
    """,
    "session_cookie": "SessionCookieName SessionCookieName2 SessionCookieRemove",
    "session_crypto": """
        SessionCryptoCipher SessionCryptoDriver SessionCryptoPassphrase SessionCryptoPassphraseFile
    """,
    "session_dbd": """
        SessionDBDCookieName SessionDBDCookieName2 SessionDBDCookieRemove SessionDBDDeleteLabel
        SessionDBDInsertLabel SessionDBDPerUser SessionDBDSelectLabel SessionDBDUpdateLabel
    """,
    "setenvif": "BrowserMatch BrowserMatchNoCase SetEnvIf SetEnvIfExpr SetEnvIfNoCase",
    "so": "LoadFile LoadModule",
    "socache_memcache": "MemcacheConnTTL",
    "socache_redis": "RedisConnPoolTTL RedisTimeout",
    "speling": "CheckBasenameMatch CheckCaseOnly CheckSpelling",
    "ssl": """
        SSLCACertificateFile SSLCACertificatePath SSLCADNRequestFile SSLCADNRequestPath SSLCARevocationCheck
        SSLCARevocationFile SSLCARevocationPath SSLCertificateChainFile SSLCertificateFile
        SSLCertificateKeyFile SSLCipherSuite SSLCompression SSLCryptoDevice SSLEngine SSLFIPS
        SSLHonorCipherOrder SSLInsecureRenegotiation SSLLog SSLLogLevel SSLOCSPDefaultResponder
        SSLOCSPEnable SSLOCSPNoVerify SSLOCSPOverrideResponder SSLOCSPProxyURL
        SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout SSLOCSPResponseMaxAge
        SSLOCSPResponseTimeSkew SSLOCSPUseRequestNonce SSLOpenSSLConfCmd SSLOptions SSLPassPhraseDialog
        SSLProtocol SSLProxyCACertificateFile SSLProxyCACertificatePath SSLProxyCARevocationCheck
        SSLProxyCARevocationFile SSLProxyCARevocationPath SSLProxyCheckPeerCN SSLProxyCheckPeerExpire
        SSLProxyCheckPeerName SSLProxyCipherSuite SSLProxyEngine SSLProxyMachineCertificateChainFile
        SSLProxyMachineCertificateFile SSLProxyMachineCertificatePath SSLProxyProtocol SSLProxyVerify
        SSLProxyVerifyDepth SSLRandomSeed SSLRenegBufferSize SSLRequire SSLRequireSSL SSLSessionCache
        SSLSessionCacheTimeout SSLSessionTicketKeyFile SSLSessionTickets SSLSRPUnknownUserSeed
        SSLSRPVerifierFile SSLStaplingCache SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater
        SSLStaplingForceURL SSLStaplingResponderTimeout SSLStaplingResponseMaxAge
        SSLStaplingResponseTimeSkew SSLStaplingReturnResponderErrors SSLStaplingStandardCacheTimeout
        SSLStrictSNIVHostCheck SSLUserName SSLUseStapling SSLVerifyClient SSLVerifyDepth SSLVHostSNIPolicy
    """,
    "substitute": "Substitute SubstituteInheritBefore SubstituteMaxLineLength",
    "suexec": "SuexecUserGroup",
    "unixd": "ChrootDir Group Suexec User",
    "userdir": "UserDir",
    "usertrack": """
        CookieDomain CookieExpires CookieHttpOnly CookieName CookieSameSite CookieSecure CookieStyle
        CookieTracking
    """,
    "version": "<IfVersion",
    "vhost_alias": "VirtualDocumentRoot VirtualDocumentRootIP VirtualScriptAlias VirtualScriptAliasIP",
    "watchdog": "WatchdogInterval",
    "xml2enc": "xml2EncAlias xml2EncDefault xml2StartParse",
}
"""Module -> its directives. `mpm` stands for event, worker and prefork together, `core` also for http_core."""

_FOREIGN = {
    "php_": "mod_php", "wsgi": "mod_wsgi", "passenger": "Passenger", "perl": "mod_perl", "jk": "mod_jk",
    "shib": "mod_shib", "oidc": "mod_auth_openidc", "sec": "mod_security", "gnutls": "mod_gnutls",
    "cas": "mod_auth_cas", "fcgid": "mod_fcgid", "modpagespeed": "PageSpeed", "dos": "mod_evasive",
    "geoip": "mod_geoip", "maxmind": "mod_maxminddb", "qs_": "mod_qos", "cloudflare": "mod_cloudflare",
    "auth_": "an authentication module", "mellon": "mod_auth_mellon", "gssapi": "mod_auth_gssapi",
    "krb": "mod_auth_kerb",
}  # fmt: skip
"""Modules that httpd does not come with, by how their directives begin."""

BY_NAME: dict[str, str] = {
    name.lstrip("<").lower(): module for module, names in DIRECTIVES.items() for name in names.split()
}
SECTIONS = frozenset(
    name[1:].lower() for names in DIRECTIVES.values() for name in names.split() if name.startswith("<")
)
_SPELLED = {name.lstrip("<").lower(): name.lstrip("<") for names in DIRECTIVES.values() for name in names.split()}
_BOTH = frozenset(  # a section and a line of the same name
    name for name in SECTIONS if any(_SPELLED[name] in names.split() for names in DIRECTIVES.values())
)


def module_of(name: str, *, section: bool = False) -> str:
    """Return the module that provides a directive; empty where httpd has no such line, or no such section.

    >>> module_of("proxypass"), module_of("VirtualHost"), module_of("VirtualHost", section=True)
    ('proxy', '', 'core')
    """
    name = name.lower()
    if section != (name in SECTIONS) and name not in _BOTH:
        return ""
    return BY_NAME.get(name, "")


def foreign(name: str) -> str:
    """Return the module, not one of httpd's own, that such a directive is for; else empty.

    >>> foreign("WSGIScriptAlias"), foreign("ProxyPass")
    ('mod_wsgi', '')
    """
    if name.lower() in BY_NAME:
        return ""
    return next((module for start, module in _FOREIGN.items() if name.lower().startswith(start)), "")


def likely(name: str) -> str:
    """Return the directive that was probably meant, as it is spelled; else empty.

    >>> likely("ProxPass")
    'ProxyPass'
    """
    close = get_close_matches(name.lower()[:100], BY_NAME, n=1, cutoff=0.75)
    return _SPELLED[close[0]] if close else ""


def names_of(module: str) -> tuple[str, ...]:
    """Return the directives of a module, in lower case.

    >>> names_of("proxy_connect")
    ('allowconnect',)
    """
    return tuple(name.lstrip("<").lower() for name in DIRECTIVES.get(module, "").split())
