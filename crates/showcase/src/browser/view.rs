//! How a page is looked at.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// What its owner prefers.
    pub theme: Theme,
}

impl View {
    /// What the pictures of the guide are taken on.
    pub const GUIDE: Self = Self { width: 1440, height: 900, theme: Theme::Light };
    /// A phone, a tablet and a desk.
    const SCREENS: [(u32, u32); 3] = [(390, 844), (820, 1180), (1440, 900)];

    /// Every screen in every theme.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::SCREENS.into_iter().flat_map(|(width, height)| Theme::ALL.map(|theme| Self { width, height, theme }))
    }
}

/// Whether pages are dark on light, or light on dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// The name that style sheets know it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
