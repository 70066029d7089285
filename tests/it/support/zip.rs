//! Zip archives as services write them, and as nobody should.

use std::io::Write as _;

/// One entry, stored as it is.
#[derive(Clone)]
pub(crate) struct Packed {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    /// General purpose flags; bit 0 says that it is encrypted.
    pub(crate) flags: u16,
    /// The size it says it has.
    pub(crate) claimed: u32,
    /// Its mode on Unix, with the kind of file.
    pub(crate) mode: u32,
}

impl Packed {
    pub(crate) fn new(name: &str, body: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            body: body.to_vec(),
            flags: 1 << 11,
            claimed: body.len() as u32,
            mode: 0o100_644,
        }
    }
}

/// An archive of entries that are not compressed, whatever they say of themselves.
pub(crate) fn stored(entries: &[Packed]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = file.len() as u32;
        let mut facts = Vec::new();
        facts.extend(entry.flags.to_le_bytes());
        facts.extend(0u16.to_le_bytes());
        // 2019-05-03, 14:23:12
        facts.extend(((14u16 << 11) | (23 << 5) | 6).to_le_bytes());
        facts.extend(((39u16 << 9) | (5 << 5) | 3).to_le_bytes());
        facts.extend(crc32(&entry.body).to_le_bytes());
        facts.extend((entry.body.len() as u32).to_le_bytes());
        facts.extend(entry.claimed.to_le_bytes());
        facts.extend((entry.name.len() as u16).to_le_bytes());
        facts.extend(0u16.to_le_bytes());
        file.extend(b"PK\x03\x04\x14\0");
        file.extend(&facts);
        file.extend(entry.name.as_bytes());
        file.extend(&entry.body);
        directory.extend(b"PK\x01\x02\x14\x03\x14\0");
        directory.extend(&facts);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let offset = file.len() as u32;
    file.extend(&directory);
    let count = (entries.len() as u16).to_le_bytes();
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(offset.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// An archive as programs make it.
pub(crate) fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, body) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(body).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
