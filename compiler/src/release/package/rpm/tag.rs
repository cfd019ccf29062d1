//! The numbers of the tags that are used, named as in `rpm/rpmtag.h`.

/// In the signature header: sizes and digests of what follows it.
pub(super) mod signature {
    pub(in super::super) const SHA256: u32 = 273;
    /// Of header and payload together.
    pub(in super::super) const SIZE: u32 = 1000;
    /// Of header and payload together.
    pub(in super::super) const MD5: u32 = 1004;
    /// Of the payload before it was compressed.
    pub(in super::super) const PAYLOADSIZE: u32 = 1007;
}

/// The languages that translated texts are in.
pub(super) const HEADERI18NTABLE: u32 = 100;
pub(super) const NAME: u32 = 1000;
pub(super) const VERSION: u32 = 1001;
pub(super) const RELEASE: u32 = 1002;
pub(super) const SUMMARY: u32 = 1004;
pub(super) const DESCRIPTION: u32 = 1005;
pub(super) const BUILDTIME: u32 = 1006;
pub(super) const BUILDHOST: u32 = 1007;
pub(super) const SIZE: u32 = 1009;
pub(super) const LICENSE: u32 = 1014;
pub(super) const GROUP: u32 = 1016;
pub(super) const OS: u32 = 1021;
pub(super) const ARCH: u32 = 1022;
pub(super) const POSTIN: u32 = 1024;
pub(super) const PREUN: u32 = 1025;
pub(super) const POSTUN: u32 = 1026;
pub(super) const FILESIZES: u32 = 1028;
pub(super) const FILEMODES: u32 = 1030;
pub(super) const FILERDEVS: u32 = 1033;
pub(super) const FILEMTIMES: u32 = 1034;
pub(super) const FILEDIGESTS: u32 = 1035;
pub(super) const FILELINKTOS: u32 = 1036;
pub(super) const FILEFLAGS: u32 = 1037;
pub(super) const FILEUSERNAME: u32 = 1039;
pub(super) const FILEGROUPNAME: u32 = 1040;
pub(super) const SOURCERPM: u32 = 1044;
pub(super) const FILEVERIFYFLAGS: u32 = 1045;
pub(super) const PROVIDENAME: u32 = 1047;
pub(super) const REQUIREFLAGS: u32 = 1048;
pub(super) const REQUIRENAME: u32 = 1049;
pub(super) const REQUIREVERSION: u32 = 1050;
pub(super) const RPMVERSION: u32 = 1064;
pub(super) const POSTINPROG: u32 = 1086;
pub(super) const PREUNPROG: u32 = 1087;
pub(super) const POSTUNPROG: u32 = 1088;
pub(super) const FILEDEVICES: u32 = 1095;
pub(super) const FILEINODES: u32 = 1096;
pub(super) const FILELANGS: u32 = 1097;
pub(super) const PROVIDEFLAGS: u32 = 1112;
pub(super) const PROVIDEVERSION: u32 = 1113;
pub(super) const DIRINDEXES: u32 = 1116;
pub(super) const BASENAMES: u32 = 1117;
pub(super) const DIRNAMES: u32 = 1118;
pub(super) const PAYLOADFORMAT: u32 = 1124;
pub(super) const PAYLOADCOMPRESSOR: u32 = 1125;
pub(super) const PAYLOADFLAGS: u32 = 1126;
pub(super) const PLATFORM: u32 = 1132;
pub(super) const FILEDIGESTALGO: u32 = 5011;
pub(super) const PAYLOADDIGEST: u32 = 5092;
pub(super) const PAYLOADDIGESTALGO: u32 = 5093;
