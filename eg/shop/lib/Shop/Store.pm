# Store: the shop's catalogue, carts and orders, in one file of SQLite.
package Shop::Store;
use strict;
use warnings;
use utf8;
use DBI;

my @TABLES = (
    'item  (id INTEGER PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL)',
    'cart  (visitor TEXT NOT NULL, item INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (visitor, item))',
    'form  (visitor TEXT NOT NULL, token TEXT NOT NULL, sale INTEGER NOT NULL, PRIMARY KEY (visitor, token))',
    'sale  (id INTEGER PRIMARY KEY AUTOINCREMENT, visitor TEXT NOT NULL, name TEXT, mail TEXT, address TEXT)',
    'line  (sale INTEGER NOT NULL, name TEXT NOT NULL, cents INTEGER NOT NULL, number INTEGER NOT NULL)',
);

my @GOODS = (['Teapot', 2490], ['Cup & saucer', 790], ['Tea “Grüner Hügel”', 650], ['Strainer', 390],
    ['Kettle', 3900], ['Sugar <brown>', 240], ['Spoon', 150], ['Tray', 1200]);

sub new {
    my ($class, $path) = @_;

    my $db = DBI->connect("dbi:SQLite:dbname=$path", '', '', {RaiseError => 1, PrintError => 0, sqlite_unicode => 1});
    my $self = bless {db => $db}, $class;
    $self->_at_once(sub { $self->_fill }) if !$db->selectrow_array(q{SELECT 1 FROM sqlite_master WHERE name = 'line'});
    return $self;
}

sub _fill {
    my ($self) = @_;

    $self->{db}->do("CREATE TABLE IF NOT EXISTS $_") for @TABLES;
    return if $self->{db}->selectrow_array('SELECT 1 FROM item');
    $self->{db}->do('INSERT INTO item (name, cents) VALUES (?, ?)', undef, @$_) for @GOODS;
    return;
}

# All of it or nothing, and nobody else writes meanwhile.
sub _at_once {
    my ($self, $work) = @_;

    $self->{db}->begin_work;
    my $result = eval { my $done = $work->(); $self->{db}->commit; [$done] };
    return $result->[0] if $result;
    my $error = $@;
    eval { $self->{db}->rollback };
    die $error;
}

sub _rows { my ($self, $query, @values) = @_; return @{ $self->{db}->selectall_arrayref($query, {Slice => {}}, @values) } }

sub items { return $_[0]->_rows('SELECT * FROM item ORDER BY id') }
sub item  { return ($_[0]->_rows('SELECT * FROM item WHERE id = ?', $_[1]))[0] }

sub cart {
    my ($self, $visitor) = @_;

    return $self->_rows('SELECT item.name, item.cents, cart.number FROM cart JOIN item ON item.id = cart.item
        WHERE cart.visitor = ? ORDER BY item.id', $visitor);
}

sub add {
    my ($self, $visitor, $item) = @_;

    my $db = $self->{db};
    return $self->_at_once(sub {
        $db->do('UPDATE cart SET number = number + 1 WHERE visitor = ? AND item = ?', undef, $visitor, $item) > 0
            or $db->do('INSERT INTO cart (visitor, item, number) VALUES (?, ?, 1)', undef, $visitor, $item);
    });
}

# The number of the order that this form is, however often it comes; undef when there is nothing in the cart.
sub order {
    my ($self, $visitor, $form, %customer) = @_;

    my $db = $self->{db};
    return $self->_at_once(sub {
        my ($known) = $self->_rows('SELECT sale FROM form WHERE visitor = ? AND token = ?', $visitor, $form);
        return $known->{sale} if $known;
        my @cart = $self->cart($visitor) or return undef;
        $db->do('INSERT INTO sale (visitor, name, mail, address) VALUES (?, ?, ?, ?)', undef, $visitor,
            @customer{qw(name mail address)});
        my $sale = $db->last_insert_id('', '', 'sale', 'id');
        $db->do('INSERT INTO line (sale, name, cents, number) VALUES (?, ?, ?, ?)', undef, $sale, @$_{qw(name cents number)})
            for @cart;
        $db->do('INSERT INTO form (visitor, token, sale) VALUES (?, ?, ?)', undef, $visitor, $form, $sale);
        $db->do('DELETE FROM cart WHERE visitor = ?', undef, $visitor);
        return $sale;
    });
}

# An order of this visitor, with its lines.
sub sale {
    my ($self, $visitor, $id) = @_;

    my ($sale) = $self->_rows('SELECT * FROM sale WHERE id = ? AND visitor = ?', $id, $visitor) or return;
    return {%$sale, lines => [$self->_rows('SELECT * FROM line WHERE sale = ? ORDER BY rowid', $id)]};
}

1;
